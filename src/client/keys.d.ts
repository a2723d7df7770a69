/** For graphcache of urql: what has no id is kept with what it belongs to. */
export declare const keys: { readonly [typename: string]: () => null };
