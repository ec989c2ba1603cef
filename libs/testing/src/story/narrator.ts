/** One line of the story: what happened, where, and under which id. */
export interface StoryLine {
  readonly time: string;
  readonly country: string;
  readonly act: string;
  readonly id: string;
}

/** Tells the story as it happens and keeps it for the table at the end. */
export class Narrator {
  readonly lines: StoryLine[] = [];
  private step = 'the start';

  constructor(private readonly print: (text: string) => void) {}

  /** The step that is played now: what a failure is named after. */
  get current(): string {
    return this.step;
  }

  chapter(number: number, title: string): void {
    this.step = `(${number}) ${title}`;
    this.print(`\n${this.step}`);
  }

  tell(country: string, act: string, id = ''): void {
    const line = { time: new Date().toISOString(), country, act, id };
    this.lines.push(line);
    this.print(`  ${line.time.slice(11, 23)}  ${country.padEnd(3)} ${act}${id === '' ? '' : `  ${id}`}`);
  }
}

/** What the story promised and did not keep. */
export class StoryBroken extends Error {}

export function demand(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new StoryBroken(promise);
}
