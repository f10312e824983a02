import { answeredDocument } from "../../../shared/documents/outcomes.ts";
import { render } from "../../../shared/documents/render.ts";
import type { Medium } from "../../../shared/media.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Prompt } from "../../../shared/rules/decision.ts";
import type { RestCommand } from "../../rest-calls.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Sounding } from "../store/call-flows.ts";
import type { Counters } from "../store/counters.ts";
import { CallCommands, type CommandedCall, type CommandListener, type Done } from "./call-commands.ts";
import { CallSounds, type Keyed, type Limits } from "./call-sounds.ts";

/** Waits before a call that RELAY says another client controls is tried again: that client may have answered it by then. */
const ANSWER_AGAIN_MS = [1_000, 2_500, 2_500] as const;
/** After this time, tries before a restart included, a document answers it: the caller hears it ring. */
const RINGS_MS = 6_000;
/** How long a document takes to answer, about. */
const ANSWERED_MS = 300;
/** If REST gave no answer, the answered call is waited for this long, and looked for this often. */
const ANSWERED_LATE_MS = 2_000;
const LOOK_MS = 100;

interface ControlHost extends CommandListener {
  relayManager: RelayManager;
  /** RELAY says that the call is answered, as we had asked. */
  answered(): void;
  /** What the call hears from now on, in the turn in which it is asked for; null: nothing. */
  sounds(sounding: Sounding | null): void;
  /** A document that only answers the call may still start late, and would take the call out of its room. */
  answersLate(): void;
}

/**
 * CallControl — has one call answered or passed on, and its sounds and commands. A call is answered once: if another client of its
 * context was quicker, that client keeps it. Used by CallFlowRunner.
 */
export class CallControl {
  readonly #host: ControlHost;
  readonly #commands: CallCommands;
  readonly #sounds: CallSounds;
  #isAnswered = false;
  /** Our answer was sent, and RELAY has not said that another client has the call. */
  #isOurs = false;

  constructor(call: CommandedCall, host: ControlHost) {
    const { relayManager } = host;
    this.#host = host;
    this.#commands = new CallCommands(call, relayManager, host, () => this.#sounds.ended());
    this.#sounds = new CallSounds(this.#commands, relayManager, (sounding) => host.sounds(sounding));
  }

  /** The call has ended. */
  get isGone(): boolean {
    return this.#commands.isGone;
  }

  /** What RELAY says of the call. */
  heard(event: RelayEvent): void {
    this.#sounds.heard(event);
    if (event.kind !== "state") return;
    this.#commands.segmentIs(event.params.segment_id);
    if (event.params.call_state === "answered") this.#nowAnswered();
    if (event.params.call_state === "ended") this.#commands.gone();
  }

  /** RELAY's events stopped coming. */
  gap(): void {
    this.#sounds.gap();
  }

  /** Ends what is heard now, for something else is to be heard or done. */
  interrupt(): void {
    this.#sounds.interrupt();
  }

  /** See {@link CallSounds.play}. */
  async play(media: readonly Medium[], limits?: Limits): Promise<Done> {
    return await this.#sounds.play(media, limits);
  }

  /** See {@link CallSounds.collect}. */
  async collect(media: readonly Medium[], prompt: Prompt): Promise<Keyed> {
    return await this.#sounds.collect(media, prompt);
  }

  /** See {@link CallSounds.sendDigits}. */
  async sendDigits(digits: string): Promise<Done> {
    return await this.#sounds.sendDigits(digits);
  }

  /** See {@link CallSounds.silence}. */
  async silence(sound: Sounding): Promise<void> {
    await this.#sounds.silence(sound);
  }

  /** See {@link CallCommands.command}. */
  async command(method: RestCommand, params: Record<string, unknown>): Promise<Done> {
    return await this.#commands.command(method, params);
  }

  /** See {@link CallCommands.commandByRest}. */
  async commandByRest(method: RestCommand, params: Record<string, unknown>): Promise<Done> {
    return await this.#commands.commandByRest(method, params);
  }

  /**
   * taken: another client of the context was quicker, and has answered it or will.
   * @param came_at When the call came, ms.
   */
  async answer(came_at: number): Promise<Done | "taken"> {
    const done = await this.#tryToAnswer();
    return done === "taken" ? await this.answerAgain(came_at) : done;
  }

  /** A conflict does not prove that another client answers. If none does, the caller hears it ring until they give up. */
  async answerAgain(came_at: number): Promise<Done | "taken"> {
    for (const wait of ANSWER_AGAIN_MS) {
      await scheduler.wait(wait);
      if (this.isGone) return "gone";
      if (this.#isAnswered || (await this.#isInProgress())) return "taken";
      const done = await this.#tryToAnswer();
      if (done !== "taken") return done;
      if (Date.now() - came_at > RINGS_MS) break;
    }
    // It still rings, so no client has answered it: its own document does.
    return await this.#answerByDocument();
  }

  /** Whether the call's own status says that somebody has answered it. */
  async #isInProgress(): Promise<boolean> {
    try {
      const { compatibility, voice_log } = await this.#commands.statuses();
      return [compatibility, voice_log].some((status) => status === "in-progress" || status === "answered");
    } catch {
      return false;
    }
  }

  async #tryToAnswer(): Promise<Done | "taken"> {
    this.#isOurs = true;
    const relay = await this.#commands.byRelay("calling.answer", {});
    if (relay?.kind === "conflict") this.#isOurs = false;
    // The event may come though the answer is lost: a document that answers would then start after what comes next.
    if (relay?.kind === "ok" || this.#isAnswered) return "done";
    return relay?.kind === "conflict" ? "taken" : await this.#answerByDocument();
  }

  /** REST has no command that answers: the call's own document does, and stays until the call is transferred. */
  async #answerByDocument(): Promise<Done> {
    const dest = render(answeredDocument()).body;
    const done = await this.#commands.commandByRest("calling.transfer", { dest });
    if (done === "done" && !this.#isAnswered) await scheduler.wait(ANSWERED_MS);
    if (done !== "failed") return done;
    if (await this.#isAnsweredLate()) return "done";
    this.#host.answersLate();
    return done;
  }

  /** REST may carry out late what it gave no answer to. That would take the call out of any document that it has by then. */
  async #isAnsweredLate(): Promise<boolean> {
    for (let waited = 0; waited < ANSWERED_LATE_MS && !this.#isAnswered && !this.isGone; waited += LOOK_MS)
      await scheduler.wait(LOOK_MS);
    return this.#isAnswered || (await this.#isInProgress());
  }

  /** Leaves the call to another client of its context; false if it is not to be left. */
  async pass(): Promise<boolean> {
    const outcome = await this.#commands.byRelay("calling.pass", {});
    return outcome?.kind === "ok" || outcome?.kind === "gone";
  }

  #nowAnswered(): void {
    this.#isAnswered = true;
    if (this.#isOurs) this.#host.answered();
  }
}

/** Leaves a call that is not ours to another client of its context. Nothing is kept of it. */
export function passOn(call: CommandedCall, relayManager: RelayManager, counters: Counters): void {
  const ignored = () => {};
  const commands = new CallCommands(
    call,
    relayManager,
    { told: ignored, commandEnded: (outcome) => counters.add(`command_${outcome.kind}`) },
    ignored,
  );
  void commands.byRelay("calling.pass", {});
}

/** Another client of the context has the call: we play nothing on it. */
export class Taken extends Error {
  override readonly name = "Taken";

  constructor() {
    super("another client took the call");
  }
}
