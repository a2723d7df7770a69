import { writeFileSync } from 'node:fs';
import { printedSchemas } from './index.ts';

for (const [path, text] of Object.entries(printedSchemas)) writeFileSync(new URL(path, import.meta.url), text);
