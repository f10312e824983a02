import type { Call } from "../carrier/calls.ts";
import type { Project } from "../carrier/project.ts";
import type { PlannedCall } from "./callers.ts";
import { LINE, QUESTION } from "./rules.ts";

interface Listener {
  call: Call;
  keys: NonNullable<PlannedCall["keys"]>;
  /** How often the question was heard. */
  asked: number;
  waits: boolean;
}

interface Hearing {
  /** The question is heard once more: so the caller will key. */
  asked(call: Call, key: NonNullable<PlannedCall["keys"]>[number]): void;
  /** The caller stands in the line, for the first time. */
  waits(project: Project, call: Call): void;
}

/** Callers who do something because of what they hear. */
export class Listening {
  readonly #hearing: Hearing;
  readonly #listeners = new Map<Project, Set<Listener>>();

  constructor(hearing: Hearing) {
    this.#hearing = hearing;
  }

  to(project: Project, call: Call, { kind, keys = [] }: PlannedCall): void {
    if (keys.length === 0 && kind !== "queue") return;
    const listeners = this.#listeners.get(project) ?? new Set();
    this.#listeners.set(project, listeners.add({ call, keys, asked: 0, waits: false }));
  }

  /** Something may be heard that was not before. */
  listen(project: Project): void {
    for (const listener of this.#listeners.get(project) ?? []) {
      const { call, keys } = listener;
      if (call.over || listener.waits || call.joins.length > 0) {
        this.#listeners.get(project)?.delete(listener);
        continue;
      }
      const { heard } = call.ear.report();
      const asked = heard.filter(({ detail }) => detail === QUESTION).length;
      for (; listener.asked < asked; listener.asked += 1) {
        const key = keys[listener.asked] ?? keys.at(-1);
        if (key) this.#hearing.asked(call, key);
      }
      if (!heard.some(({ detail }) => detail === LINE)) continue;
      listener.waits = true;
      this.#hearing.waits(project, call);
    }
  }
}
