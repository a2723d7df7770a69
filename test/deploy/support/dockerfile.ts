import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerfileParser, type Instruction, ModifiableInstruction } from 'dockerfile-ast';
import { root } from './run.ts';

/** One instruction, its words read as Docker would. */
export interface Step {
  readonly name: string;
  /** The words; of a JSON form, its elements. */
  readonly words: readonly string[];
  /** Whether it is a JSON array, which no shell comes between. */
  readonly isExec: boolean;
  /** The text after the name and its flags. */
  readonly text: string;
  /** By names without dashes. */
  readonly flags: Readonly<Record<string, string>>;
}

/** The instructions from one FROM to the next. */
export interface Stage {
  readonly base: string;
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The stages of the project's Dockerfile, the last of which becomes the image. */
export function readDockerfile(): Stage[] {
  const stages: { base: string; name: string; steps: Step[] }[] = [];
  for (const instruction of DockerfileParser.parse(readFileSync(join(root, 'Dockerfile'), 'utf8')).getInstructions()) {
    const step = readStep(instruction);
    if (step.name === 'FROM') {
      const [base = '', , name = String(stages.length)] = step.words;
      stages.push({ base, name, steps: [] });
    } else stages.at(-1)?.steps.push(step);
  }
  return stages;
}

function readStep(instruction: Instruction): Step {
  const name = instruction.getKeyword();
  const flagged = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
  const flags = Object.fromEntries(flagged.map((flag) => [flag.getName(), flag.getValue() ?? '']));
  const raw = (instruction.getRawArgumentsContent() ?? '').replace(/\\\n\s*/g, ' ').trim();
  // What HEALTHCHECK runs comes after a word.
  const text = raw.replace(/^(--\S+\s+)+/, '').replace(name === 'HEALTHCHECK' ? /^CMD\s+/ : '', '');
  const isExec = text.startsWith('[');
  const words: string[] = isExec ? JSON.parse(text) : text.split(/\s+/);
  return { name, words, isExec, text, flags };
}

/** Whether .dockerignore lets a path of the project into the build: it leaves out everything and lets in some. */
export function isInContext(path: string): boolean {
  const [everything, ...exceptions] = readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n');
  if (everything !== '*' || !exceptions.every((line) => /^![\w.-]+$/.test(line))) {
    throw new Error('.dockerignore has more in it than is understood here.');
  }
  return exceptions.some((line) => path === line.slice(1) || path.startsWith(`${line.slice(1)}/`));
}
