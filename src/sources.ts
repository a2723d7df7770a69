import type { Config } from './config.ts';
import type { SourceConfig } from './config-sources.ts';
import { providers } from './providers/index.ts';
import type { Source } from './request-source.ts';
import { startSandbox } from './sandbox.ts';
import { createUpstream } from './upstream/http.ts';
import type { UpstreamObserver } from './upstream/observer.ts';

/** The sources of a configuration, with connections that calls can be made over. */
export interface OpenSources {
  readonly sources: readonly Source[];
  /** Where each is called, and with which key: in the sandbox, those of the sandbox. */
  readonly settings: readonly SourceConfig[];
  /** Ends all connections, also those with a call under way, and the sandbox. */
  close(): Promise<void>;
}

/** Opens what the configuration names, in the order of the list of providers, and the sandbox behind it if that is wanted. `observe` watches a source. */
export async function openSources(
  config: Pick<Config, 'sources' | 'sandbox' | 'upstream'>,
  observe?: (source: string) => UpstreamObserver,
): Promise<OpenSources> {
  const served = providers.filter(({ key }) => config.sources.some((source) => source.key === key));
  const sandbox = config.sandbox ? await startSandbox(served, Date.now) : null;
  const settings = sandbox?.sources ?? config.sources;
  const sources = served.map((provider) => {
    const { key } = provider;
    const { url } = settings.find((source) => source.key === key) ?? provider;
    return { key, provider, upstream: createUpstream(url, config.upstream, observe?.(key)) };
  });
  return {
    sources,
    settings,
    async close() {
      await Promise.all(sources.map(({ upstream }) => upstream.close()));
      sandbox?.close();
    },
  };
}
