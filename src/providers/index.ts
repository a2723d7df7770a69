import { apimall } from './apimall/index.ts';
import { diligent } from './diligent/index.ts';
import type { Provider } from './provider.ts';

/** Every provider that hookgraph knows, in the order in which sources are shown: the one list to add a third to. */
export const providers: readonly Provider[] = [apimall, diligent];
