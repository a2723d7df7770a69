import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayRuntime } from '@graphql-hive/gateway';
import { getComposedSchemaFromConfig } from '@graphql-mesh/compose-cli';
import { loadOpenAPISubgraph } from '@omnigraph/openapi';
import { environment } from './environment.ts';
import { connect, typeDefs } from './graph.ts';
import { apimallDocument, diligentDocument } from './hive-documents.ts';
import type { ApiMallRow, DiligentRow } from './webhook.ts';

/** Hive Gateway over a supergraph that Mesh composes of both OpenAPI documents, joined into one list by an additional resolver. */

const { apimall, diligent, port } = environment;
const folder = mkdtempSync(join(tmpdir(), 'hookgraph-bench-hive-'));

function subgraph(name: string, document: object, url: string, operationHeaders: Record<string, string>) {
  const source = join(folder, `${name}.json`);
  writeFileSync(source, JSON.stringify(document));
  return { sourceHandler: loadOpenAPISubgraph(name, { source, endpoint: url, operationHeaders }) };
}

type Call = (options: { root: unknown; args: object; context: object; info: object; selectionSet: string }) => unknown;
interface Context {
  readonly apimall: { readonly Query: { readonly apimallWebhooks: Call } };
  readonly diligent: { readonly Query: { readonly diligentWebhooks: Call } };
}

const apimallSelection = `{
  data { id url events status api_key_id total_sent total_failed last_sent_at last_error created_at updated_at }
}`;
const diligentSelection = `{
  id webhook_url events is_active has_secret status last_delivery_at last_delivery_status
}`;

const quiet = { log() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const supergraph = await getComposedSchemaFromConfig(
  {
    subgraphs: [
      subgraph('apimall', apimallDocument, apimall.url, { authorization: `Bearer ${apimall.key}` }),
      subgraph('diligent', diligentDocument, diligent.url, { 'x-api-key': diligent.key }),
    ],
  },
  quiet,
);
rmSync(folder, { recursive: true });

const gateway = createGatewayRuntime({
  supergraph,
  logging: false,
  additionalTypeDefs: typeDefs.replace('type Query', 'extend type Query'),
  additionalResolvers: {
    Query: {
      async webhooks(root: unknown, { first }: { first?: number }, context: Context, info: object) {
        const options = { root, args: {}, context, info };
        const [answer, rows] = await Promise.all([
          context.apimall.Query.apimallWebhooks({ ...options, selectionSet: apimallSelection }),
          context.diligent.Query.diligentWebhooks({ ...options, selectionSet: diligentSelection }),
        ]);
        return connect((answer as { data: ApiMallRow[] }).data, rows as DiligentRow[], first ?? 100);
      },
    },
  },
});
createServer(gateway).listen(port, '127.0.0.1');
