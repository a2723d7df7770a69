import { describeToken } from './new-token.ts';

try {
  process.stdout.write(`${await describeToken(process.stdin)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
