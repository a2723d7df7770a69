import { writeFileSync } from 'node:fs';
import { printed } from './kit.ts';

for (const [path, text] of Object.entries(printed)) writeFileSync(new URL(path, import.meta.url), text);
