import { builder } from './builder.ts';

/** Relay's interface of what can be fetched again by id. The fields that fetch are in `by-id.ts`. */
export const Node = builder.nodeInterfaceRef();
