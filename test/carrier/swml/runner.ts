import type { Leg } from "../leg.ts";
import type { Switches } from "../switches/index.ts";
import type { Scope } from "./expansion.ts";
import { type DocumentIo, type Found, fetchDocument, inlineDocument } from "./fetching.ts";
import { type Flow, type Frame, goOn, type Machine, type Place, StepError } from "./machine.ts";
import { perform } from "./perform.ts";
import type { Step } from "./steps.ts";

export type { DocumentIo } from "./fetching.ts";

/**
 * How a document ended. `document ended`: it ran out and the call was hung up. `hung up`: by a step, by the end of its
 * conference, or by the other side. `replaced`: the signal was aborted; the call lives on. `stranded`: nothing left to
 * run; the call is **not** hung up yet, so that whoever ran the document can note it first.
 */
export interface Ending {
  over: "document ended" | "hung up" | "stranded" | "replaced";
  reason?: string;
}

/** Nested `execute`s; SignalWire states no limit, but a document that executes itself must end. */
const max_depth = 32;

/** Runs a document, and those that it transfers to, on the leg until the call or the signal ends it. Never rejects but for a bug. */
export async function runDocument(
  leg: Leg,
  start: { url: string } | { document: unknown },
  io: DocumentIo,
  signal: AbortSignal,
): Promise<Ending> {
  const runner = new Runner(leg, io, AbortSignal.any([signal, leg.ended]));
  try {
    return await runner.run(start);
  } catch (error) {
    if (leg.ended.aborted) return { over: "hung up" };
    if (signal.aborted) return { over: "replaced" };
    throw error;
  }
}

/** `transfer`s and `goto`s so far, by call: the limit is the call's, whichever of its documents makes them. */
const transfers = new WeakMap<Leg, number>();

class Runner implements Machine {
  readonly leg: Leg;
  readonly signal: AbortSignal;
  readonly #io: DocumentIo;
  readonly #jumps = new Map<Step, number>();

  constructor(leg: Leg, io: DocumentIo, signal: AbortSignal) {
    this.leg = leg;
    this.signal = signal;
    this.#io = io;
  }

  async run(start: { url: string } | { document: unknown }): Promise<Ending> {
    const { params, is_first } = this.#io;
    let place: Place = entered(
      "url" in start
        ? await fetchDocument(this.leg, this.#io, start.url, params, is_first, this.signal)
        : inlineDocument(this.leg, start.document, "inline document"),
      params,
      0,
    );
    while (place.ok) {
      const flow = await this.#runSection(place.section, place.frame);
      switch (flow.go) {
        case "on":
        case "return":
          this.leg.hangUp("hangup");
          return { over: "document ended" };
        case "hung up":
          return { over: "hung up" };
        case "stranded":
          return { over: "stranded", reason: flow.reason };
        case "label":
          return { over: "stranded", reason: `goto: no label "${flow.label}" in section ${place.section}` };
        case "transfer":
          place = flow.place;
      }
    }
    return { over: "stranded", reason: place.reason };
  }

  get switches(): Switches {
    return this.#io.switches;
  }

  scope(frame: Frame): Scope {
    return { call: this.leg.describe(), vars: this.leg.vars, params: frame.params, envs: {} };
  }

  async runSteps(steps: readonly Step[], frame: Frame): Promise<Flow> {
    for (const step of steps) {
      this.signal.throwIfAborted();
      const flow = await this.#perform(step, frame);
      if (flow.go !== "on") return flow;
    }
    return goOn;
  }

  async transfer(dest: string, params: Frame["params"], frame: Frame): Promise<Flow> {
    if (!this.#mayTransfer()) return { go: "stranded", reason: this.#tooMany() };
    this.#io.ledBy?.("transfer");
    const place = await this.#find(dest, params, { ...frame, depth: 0 });
    return this.#passedOver(place) ? goOn : { go: "transfer", place };
  }

  async execute(dest: string, params: Frame["params"], frame: Frame): Promise<Flow> {
    const counts = this.switches.execute_counts_as_transfer;
    if (counts && !this.#mayTransfer()) return { go: "stranded", reason: this.#tooMany() };
    if (frame.depth >= max_depth) {
      return { go: "stranded", reason: `more than ${max_depth} nested executes` };
    }
    this.#io.ledBy?.("execute");
    const place = await this.#find(dest, params, { ...frame, depth: frame.depth + 1 });
    if (this.#passedOver(place)) return goOn;
    if (!place.ok) return { go: "stranded", reason: place.reason };
    const flow = await this.#runSection(place.section, place.frame);
    if (flow.go === "label") return { go: "stranded", reason: `goto: no label "${flow.label}" in ${dest}` };
    return flow.go === "on" ? { go: "return", value: undefined } : flow;
  }

  countJump(step: Step): number {
    const count = (this.#jumps.get(step) ?? 0) + 1;
    this.#jumps.set(step, count);
    return count;
  }

  /** Runs a section from its first step; `goto`s stay within it. */
  async #runSection(name: string, frame: Frame): Promise<Flow> {
    const steps = frame.sections[name] ?? [];
    let from = 0;
    for (;;) {
      const flow = await this.runSteps(steps.slice(from), frame);
      if (flow.go !== "label") return flow;
      from = steps.findIndex((step) => labelOf(step) === flow.label);
      if (from === -1) return flow;
      if (!this.#mayTransfer()) return { go: "stranded", reason: this.#tooMany() };
    }
  }

  async #perform(step: Step, frame: Frame): Promise<Flow> {
    try {
      return await perform(this, step, frame);
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      const [name] = Object.keys(step);
      this.leg.note("violation", { step: name, problem: error.message });
      return { go: "stranded", reason: `${name}: ${error.message}` };
    }
  }

  /** Where a destination leads: a URL, an inline document, or a section of the document that names it. */
  async #find(dest: string, params: Frame["params"], frame: Frame): Promise<Place> {
    if (/^https?:\/\//i.test(dest)) {
      return entered(
        await fetchDocument(this.leg, this.#io, dest, params, false, this.signal),
        params,
        frame.depth,
      );
    }
    if (dest.trimStart().startsWith("{")) {
      return entered(inlineDocument(this.leg, parsed(dest), "inline document"), params, frame.depth);
    }
    if (Object.hasOwn(frame.sections, dest)) {
      return { ok: true, section: dest, frame: { ...frame, params } };
    }
    return { ok: false, reason: `"${dest}" is neither a URL nor a document nor a section of this one` };
  }

  /** Whether the document goes on as if the step were not there, since its fetch brought nothing. */
  #passedOver(place: Place): boolean {
    if (place.ok || !place.nothing_came) return false;
    if (this.switches.failed_fetch_of_transfer !== "next_step") return false;
    this.leg.note("document", { passed_over: place.reason });
    return true;
  }

  #mayTransfer(): boolean {
    const count = (transfers.get(this.leg) ?? 0) + 1;
    transfers.set(this.leg, count);
    return count <= this.#io.max_transfers;
  }

  #tooMany(): string {
    return `more than ${this.#io.max_transfers} transfers and gotos in one call`;
  }
}

function entered(found: Found, params: Frame["params"], depth: number): Place {
  if (!found.ok) return found;
  return { ok: true, section: "main", frame: { sections: found.sections, params, depth } };
}

function labelOf(step: Step): unknown {
  const { label } = step;
  return typeof label === "object" && label !== null && "label" in label ? label.label : label;
}

/** What is not JSON is left as it is, for the grammar to refuse. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
