/** The Worker's log line for a webhook that it answered, or for a call of RELAY's that it told what to do next. */
export interface AnsweredLine {
  call: string;
  rule: string | null;
  outcome: string;
  room: string | null;
  reason?: string;
}

const ANSWERED = ["webhook.answered", "call.answered"];

/** What the Worker logs, kept and watched. */
export class WorkerLog {
  readonly lines: string[] = [];
  readonly #watchers = new Set<() => void>();

  add(line: string): void {
    this.lines.push(line);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Calls `watcher` after each line. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** How the webhooks of one call were answered, in order. */
  answered(call_id: string): AnsweredLine[] {
    return this.lines.flatMap((line) => {
      if (!line.startsWith("{") || !line.includes(call_id)) return [];
      const entry = JSON.parse(line) as { event: string } & AnsweredLine; // The Worker's own format, above.
      return ANSWERED.includes(entry.event) && entry.call === call_id ? [entry] : [];
    });
  }

  /** Resolves with a call's answers when `isSettled` holds of them, or when the time is over. */
  async answeredUntil(
    call_id: string,
    isSettled: (lines: AnsweredLine[]) => boolean,
    ms: number,
  ): Promise<AnsweredLine[]> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        unwatch();
        resolve();
      };
      const check = () => {
        if (isSettled(this.answered(call_id))) done();
      };
      const unwatch = this.watch(check);
      const timer = setTimeout(done, ms);
      check();
    });
    return this.answered(call_id);
  }
}
