import { writeFileSync } from 'node:fs';
import { printedSchema } from './index.ts';

writeFileSync(new URL('../../schema.graphql', import.meta.url), printedSchema);
