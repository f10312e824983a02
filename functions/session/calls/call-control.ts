import { answeredDocument } from "../../../shared/documents/outcomes.ts";
import { render } from "../../../shared/documents/render.ts";
import { evidenceOfRefusal, type Taken as TookCommands } from "../../../shared/evidence.ts";
import { lengthOf, type Medium } from "../../../shared/media.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { describeOutcome, isBusy, type Outcome } from "../../../shared/relay/outcome.ts";
import type { Prompt } from "../../../shared/rules/decision.ts";
import { describeError } from "../../log.ts";
import {
  type CallStatuses,
  callStatuses,
  commandCall,
  evidenceOfStatuses,
  type RestCommand,
} from "../../rest-calls.ts";
import { timeoutOr } from "../../timeout.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Sounding } from "../store/call-flows.ts";
import type { ActionRow } from "../store/history.ts";

/** RELAY, and after it REST, has so long for a command: the caller may be hearing nothing meanwhile. */
const COMMAND_MS = 1_500;
const REST_MS = 2_000;
/** RELAY is asked so often where it has too much to do, with so long in between. */
const BUSY_TRIES = 4;
/** REST's "later" is waited for so often, and each time at most so long. */
const LATER_TRIES = 4;
const LATER_MS = 3_000;
const BUSY_MS = 250;
/** The longest that words or a sound file before the room are waited for. */
const HEARD_MS = 30_000;
/** How many times as long as estimated the slowest voice takes. */
const SLOWEST = 1.5;
/** For words to begin, and for their end to be told of. */
const MARGIN_MS = 3_000;
/** What is added to the estimate at most: where the end is not told of, the caller hears nothing for that long. */
const ADDED_MS = 6_000;
/** How long a sound file goes on of whose end RELAY can't tell. */
const FILE_MS = 5_000;
/** A sound that neither RELAY nor REST could stop is stopped so often more, after so long. */
const STOPPED_AGAIN = 3;
const STOP_AGAIN_MS = 400;
/** From then on nothing waits for it, and it is tried again whenever RELAY is back, and else after so long, up to so often. */
const STOP_LATER_MS = 2_000;
const STOPPED_LATER = 30;
/** What comes after a sound waits so long for its end to be sure: until RELAY and after it REST have had their time. */
const SILENCED_WITHIN_MS = COMMAND_MS + REST_MS + 500;
/** A call that RELAY says another client controls is tried again after each of these: that client may have answered it meanwhile. */
const ANSWER_AGAIN_MS = [1_000, 2_500, 2_500] as const;
/** After so long in all, other incarnations' tries among them, it is answered by a document: the caller hears it ring. */
const RINGS_MS = 6_000;
/** A document that answers takes about so long to. */
const ANSWERED_MS = 300;
/** It is still waited for, for so long, where REST gave no answer; and it is looked for this often. */
const ANSWERED_LATE_MS = 2_000;
const LOOK_MS = 100;
/** A caller's time for the first key and between keys, as in our documents. */
const FIRST_DIGIT_S = 8;
const NEXT_DIGIT_S = 4;

/** A key and the pause after it, at most, and what the event may take to come. */
const KEY_MS = 400;
const KEYED_LATE_MS = 1_500;

/** These may be carried out twice. */
const REPEATABLE: ReadonlySet<RestCommand> = new Set(["calling.end"]);

/** unsure: it may have been done. gone: there is no such call any more. */
export type Done = "done" | "unsure" | "failed" | "gone";

/** again: what was keyed is not known, through no fault of the caller's. */
export type Keyed = { digits: string } | "again" | "failed" | "gone";

interface ControlHost {
  relayManager: RelayManager;
  /** For the call's story: what came of a command. */
  told(row: ActionRow): void;
  /** RELAY says that the call is answered, as we had asked. */
  answered(): void;
  /** What is now to be heard, in the turn in which it is asked for; null: nothing any more. */
  sounds(sounding: Sounding | null): void;
  commandEnded(outcome: Outcome): void;
  /** A document that answers the call, and then does nothing, may start late: it would take the call out of its room. */
  answersLate(): void;
}

/** refused: REST finds no such call, or no such sound on it, which is no proof that the call is over. */
type ByRest = "done" | "failed" | "gone" | "refused";

/** Why a sound is not waited for any longer. failed: it could not be played. lost: RELAY's events have a gap. */
type End = { over: "finished"; digits?: string } | { over: "failed" | "lost" | "ended" | "late" };

/** Sounds that are remembered as stopped. */
const SILENCED = 8;

/**
 * CallControl — commands one call, by RELAY, and by REST where RELAY cannot. At most one sound is played at a time. Used by
 * CallFlowRunner.
 */
export class CallControl {
  readonly #call_id: string;
  readonly #node_id: string | undefined;
  #segment_id: string | null;
  /** Which side has taken a command for this call: from then on its 404 means that the call is gone. */
  readonly #taken: TookCommands = { relay: null, rest: false };
  readonly #host: ControlHost;
  #isGone = false;
  #isAnswered = false;
  /** Our answer was sent, and RELAY has not said that another client has the call. */
  #isOurs = false;
  #sounding: (Sounding & { isHeard: boolean; end: (why: End) => void }) | null = null;
  #keying: { control_id: string; end: () => void } | null = null;
  #interruptions = 0;
  /** Sounds that were stopped last, by `control_id`: one whose start came late is stopped when it is heard. */
  readonly #silenced: string[] = [];
  /** What waits for RELAY to tell of the end of a sound that is being stopped, by `control_id`. */
  readonly #stopping = new Map<string, () => void>();

  constructor(
    { call_id, node_id, segment_id }: { call_id: string; node_id?: string; segment_id?: string },
    host: ControlHost,
  ) {
    this.#call_id = call_id;
    this.#node_id = node_id;
    this.#segment_id = segment_id ?? null;
    this.#host = host;
  }

  /** The call has ended. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** What RELAY says of the call. */
  heard(event: RelayEvent): void {
    const sounding = this.#sounding;
    switch (event.kind) {
      case "state":
        this.#segment_id = event.params.segment_id ?? this.#segment_id;
        if (event.params.call_state === "answered") this.#nowAnswered();
        if (event.params.call_state === "ended") this.gone();
        return;
      case "play":
        if (event.params.state === "playing" && this.#silenced.includes(event.params.control_id))
          void this.#stop({ method: "calling.play", control_id: event.params.control_id });
        if (isSoundOver(event.params)) this.#stopping.get(event.params.control_id)?.();
        if (event.params.control_id !== sounding?.control_id || sounding.method !== "calling.play") return;
        sounding.isHeard = true;
        if (isSoundOver(event.params))
          sounding.end({ over: event.params.state === "error" ? "failed" : "finished" });
        return;
      case "collect": {
        if (event.params.control_id !== sounding?.control_id) return;
        const { state, final, result } = event.params;
        // Of these more is to come.
        if (state === "collecting" || final === false || result?.type === "start_of_input") return;
        // What was keyed is not known, through no fault of the caller's.
        if (state === "error" || result?.type === "error") sounding.end(late);
        else
          sounding.end({
            over: "finished",
            digits: result?.type === "digit" ? (result.params?.digits ?? "") : "",
          });
        return;
      }
      case "send_digits":
        if (event.params.control_id === this.#keying?.control_id) this.#keying.end();
        return;
      default:
        return;
    }
  }

  #nowAnswered(): void {
    this.#isAnswered = true;
    if (this.#isOurs) this.#host.answered();
  }

  gone(): void {
    this.#isGone = true;
    this.#keying?.end();
    this.#sounding?.end({ over: "ended" });
  }

  /** RELAY's events stopped coming. */
  gap(): void {
    this.#sounding?.end({ over: "lost" });
  }

  /** Ends what is heard now, for something else is to be heard or done. */
  interrupt(): void {
    this.#interruptions += 1;
    this.#sounding?.end(late);
  }

  /** Plays, and resolves when it was heard, interrupted, or could not be played: after `longest_ms` at most. */
  async play(
    media: readonly Medium[],
    { longest_ms, file_ms } = { longest_ms: longestOf(media), file_ms: FILE_MS },
  ): Promise<Done> {
    const interruptions = this.#interruptions;
    let sound = this.#begin("calling.play", media);
    let began_at = Date.now();
    let done = await this.command("calling.play", { control_id: sound.control_id, play: media });
    if (done === "unsure" && this.#sounding?.isHeard) done = "done";
    if (done === "unsure") {
      // It may be heard all the same: it is stopped, so that it is not heard twice.
      await this.silence(sound);
      if (this.#isGone || interruptions !== this.#interruptions) return this.#isGone ? "gone" : done;
      sound = this.#begin("calling.play", media);
      began_at = Date.now();
      done = await this.commandByRest("calling.play", { control_id: sound.control_id, play: media });
    }
    if (done === "failed" || done === "gone") {
      this.#over();
      return done;
    }
    // Without RELAY nobody says when it is over.
    if (!this.#host.relayManager.ready) this.gap();
    let end: End = await timeoutOr(longest_ms, sound.ended, late);
    if (end.over === "lost") {
      const left_ms = lengthOf(media, file_ms) - (Date.now() - began_at);
      end = await timeoutOr(Math.min(left_ms, longest_ms), this.#ended(), late);
    }
    if (end.over === "finished" || end.over === "failed") this.#over();
    else await this.silence(sound);
    if (this.#isGone) return "gone";
    return end.over === "failed" ? "failed" : done;
  }

  /** Asks for keys, and resolves with what was keyed: "" for nothing. RELAY alone can. */
  async collect(media: readonly Medium[], prompt: Prompt): Promise<Keyed> {
    const { max_digits, terminator } = prompt;
    const sound = this.#begin("calling.play_and_collect", media);
    const outcome = await this.#byRelay("calling.play_and_collect", {
      control_id: sound.control_id,
      play: media,
      collect: {
        initial_timeout: FIRST_DIGIT_S,
        digits: {
          max: max_digits,
          ...(terminator === undefined ? {} : { terminators: terminator }),
          digit_timeout: NEXT_DIGIT_S,
        },
      },
    });
    if (outcome?.kind !== "ok" && outcome?.kind !== "unanswered") {
      this.#over();
      // Whether a call that RELAY does not find is gone shows with the next command.
      return this.#isGone ? "gone" : "failed";
    }
    const longest_ms = longestOf(media) + (FIRST_DIGIT_S + max_digits * NEXT_DIGIT_S) * 1_000;
    // A lost answer can't be told from a caller who thinks: what loses it is to be found soon.
    const wait = async () => await this.#host.relayManager.watched(timeoutOr(longest_ms, sound.ended, late));
    const end = outcome.kind === "ok" ? await wait() : late;
    if (end.over === "finished") {
      this.#over();
      return { digits: end.digits ?? "" };
    }
    await this.silence(sound);
    return this.#isGone ? "gone" : "again";
  }

  /** Sends keys, and resolves when they were heard at the other end, as far as is known. RELAY alone can. */
  async sendDigits(digits: string): Promise<Done> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const control_id = crypto.randomUUID();
    this.#keying = { control_id, end: () => resolve(true) };
    const outcome = await this.#byRelay("calling.send_digits", { control_id, digits });
    const may_be_sent = outcome?.kind === "ok" || outcome?.kind === "unanswered";
    const isToldOf = may_be_sent && !this.#isGone && (await timeoutOr(longestKeying(digits), promise, false));
    this.#keying = null;
    if (this.#isGone || outcome?.kind === "gone") return "gone";
    if (outcome?.kind === "ok" || isToldOf) return "done";
    return may_be_sent ? "unsure" : "failed";
  }

  /** Stops a sound that may still be heard. A stop that takes long goes on meanwhile. */
  async silence(sound: Sounding): Promise<void> {
    const { control_id, ends_at = Number.POSITIVE_INFINITY } = sound;
    this.#sounding = null;
    if (this.#silenced.push(control_id) > SILENCED) this.#silenced.shift();
    const left_ms = ends_at - Date.now();
    if (left_ms <= 0) return this.#host.sounds(null);
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    this.#stopping.set(control_id, () => {
      if (this.#sounding === null) this.#host.sounds(null);
      resolve();
    });
    const stopped = Promise.race([this.#stopAgain(sound), isOver]);
    await timeoutOr(Math.min(SILENCED_WITHIN_MS, left_ms), stopped, undefined);
    this.#stopping.delete(control_id);
  }

  /** A sound that goes on would be heard in the room, too: it is stopped again until an answer says that it is. */
  async #stopAgain(sound: Sounding): Promise<void> {
    for (let tried = 0; !this.#isGone && !(await this.#stop(sound)); tried += 1) {
      if (tried === STOPPED_AGAIN) {
        void this.#stopLater(sound);
        break;
      }
      await scheduler.wait(STOP_AGAIN_MS);
    }
    if (this.#sounding === null) this.#host.sounds(null);
  }

  /** What neither side could stop, the caller would go on hearing in the room: RELAY or REST may be back in a moment. */
  async #stopLater(sound: Sounding): Promise<void> {
    const { relayManager } = this.#host;
    for (let tried = 0; tried < STOPPED_LATER; tried += 1) {
      const until = Date.now() + STOP_LATER_MS;
      const wasReady = relayManager.ready !== null;
      await relayManager.settled(until);
      const isBack = !wasReady && relayManager.ready !== null;
      if (!isBack) await scheduler.wait(Math.max(0, until - Date.now()));
      const isOver = sound.ends_at !== undefined && sound.ends_at <= Date.now();
      if (isOver || this.#isGone || !this.#silenced.includes(sound.control_id)) return;
      if (await this.#stop(sound)) return;
    }
  }

  async #stop({ method, control_id, ends_at }: Sounding): Promise<boolean> {
    const outcome = await this.#byRelay(`${method}.stop`, { control_id });
    if (outcome?.kind === "ok" || (outcome?.kind === "gone" && outcome.code === "410")) return true;
    // REST cannot stop questions.
    if (method === "calling.play_and_collect") return outcome?.kind === "gone";
    // Words are over soon, whatever a 404 means.
    if (ends_at !== undefined && outcome?.kind === "gone") return true;
    // A 404 may mean that RELAY has lost sight of the call, whose sound goes on.
    return (await this.#byRest("calling.play.stop", { control_id }, null)) !== "failed";
  }

  /** A command by RELAY; where that can't, and where twice does no harm or nothing was done, by REST. */
  async command(method: RestCommand, params: Record<string, unknown>): Promise<Done> {
    if (this.#isGone) return "gone";
    const relay = await this.#byRelay(method, params);
    if (relay?.kind === "ok") return "done";
    if (relay?.kind === "unanswered" && !REPEATABLE.has(method)) return "unsure";
    if (relay?.kind === "gone" && relay.code === "410") return this.#nowGone();
    // REST may see a call that RELAY does not find, though RELAY took a command for it before: nothing else would be done for it.
    return this.#doneBy(await this.#byRest(method, params, relay?.kind === "gone" ? relay.code : null));
  }

  /** Where RELAY's answer to a command never came, and it was not carried out. */
  async commandByRest(method: RestCommand, params: Record<string, unknown>): Promise<Done> {
    return this.#doneBy(await this.#byRest(method, params, null));
  }

  #doneBy(done: ByRest): Done {
    if (done === "gone") return this.#nowGone();
    return done === "refused" ? "failed" : done;
  }

  /**
   * taken: another client of the context was quicker, and has answered it or will.
   * @param came_at When the call came, ms.
   */
  async answer(came_at: number): Promise<Done | "taken"> {
    const done = await this.#tryToAnswer();
    return done === "taken" ? await this.answerAgain(came_at) : done;
  }

  /** A conflict is no proof that anybody else answers: were it none, the caller would hear it ring until they give up. */
  async answerAgain(came_at: number): Promise<Done | "taken"> {
    for (const wait of ANSWER_AGAIN_MS) {
      await scheduler.wait(wait);
      if (this.#isGone) return "gone";
      if (this.#isAnswered || (await this.#isInProgress())) return "taken";
      const done = await this.#tryToAnswer();
      if (done !== "taken") return done;
      if (Date.now() - came_at > RINGS_MS) break;
    }
    // It rings, and nobody has it: a document of its own answers it.
    return await this.#answerByDocument();
  }

  /** Whether the call's own status says that somebody has answered it. */
  async #isInProgress(): Promise<boolean> {
    try {
      const { compatibility, voice_log } = await this.#statuses();
      return [compatibility, voice_log].some((status) => status === "in-progress" || status === "answered");
    } catch {
      return false;
    }
  }

  async #tryToAnswer(): Promise<Done | "taken"> {
    this.#isOurs = true;
    const relay = await this.#byRelay("calling.answer", {});
    if (relay?.kind === "conflict") this.#isOurs = false;
    // The event may come where the answer does not: a document that answers would then come later than what follows.
    if (relay?.kind === "ok" || this.#isAnswered) return "done";
    return relay?.kind === "conflict" ? "taken" : await this.#answerByDocument();
  }

  /** REST has no command that answers: the call does so by a document of its own, and stays there until it is told to go. */
  async #answerByDocument(): Promise<Done> {
    const dest = render(answeredDocument()).body;
    const done = await this.commandByRest("calling.transfer", { dest });
    if (done === "done" && !this.#isAnswered) await scheduler.wait(ANSWERED_MS);
    if (done !== "failed") return done;
    if (await this.#isAnsweredLate()) return "done";
    this.#host.answersLate();
    return done;
  }

  /** REST may do late what it gave no answer to: that would take the call out of any other document that it is led to meanwhile. */
  async #isAnsweredLate(): Promise<boolean> {
    for (let waited = 0; waited < ANSWERED_LATE_MS && !this.#isAnswered && !this.#isGone; waited += LOOK_MS)
      await scheduler.wait(LOOK_MS);
    return this.#isAnswered || (await this.#isInProgress());
  }

  /** Leaves the call to another client of its context; false where it is not to be left. */
  async pass(): Promise<boolean> {
    const outcome = await this.#byRelay("calling.pass", {});
    return outcome?.kind === "ok" || outcome?.kind === "gone";
  }

  #nowGone(): Done {
    this.gone();
    return "gone";
  }

  async #byRelay(method: string, params: Record<string, unknown>): Promise<Outcome | null> {
    const connection = this.#host.relayManager.ready;
    if (!connection || this.#node_id === undefined) return null;
    const command = {
      lane: this.#call_id,
      method,
      params: { node_id: this.#node_id, call_id: this.#call_id, ...params },
      deadline_at: Date.now() + COMMAND_MS,
    };
    let outcome = await connection.command({ ...command, id: crypto.randomUUID() });
    // Too many at once: not carried out, and no reason for anything but to come again.
    for (let tried = 1; isBusy(outcome) && tried < BUSY_TRIES; tried += 1) {
      await scheduler.wait(BUSY_MS);
      outcome = await connection.command({ ...command, id: crypto.randomUUID() });
    }
    this.#host.commandEnded(outcome);
    this.#host.told({ deed: method, by: "relay", said: describeOutcome(outcome) });
    if (outcome.kind === "ok") this.#taken.relay = this.#host.relayManager.protocol;
    return outcome;
  }

  /** @param refused the code with which RELAY refused the same command; null: it did not. */
  async #byRest(
    method: RestCommand,
    params: Record<string, unknown>,
    refused: "404" | "410" | null,
  ): Promise<ByRest> {
    let said: string;
    let done: ByRest = "failed";
    try {
      const command = async () =>
        await this.#host.relayManager.rest(
          "command",
          REST_MS,
          (project, signal) => commandCall(project, this.#call_id, method, params, signal),
          () => !this.#isGone,
        );
      let outcome = await command();
      for (let tried = 1; outcome.kind === "later" && tried < LATER_TRIES && !this.#isGone; tried += 1) {
        await scheduler.wait(Math.min(outcome.retry_after_ms, LATER_MS));
        outcome = await command();
      }
      done = outcome.kind === "ok" ? "done" : "failed";
      if (outcome.kind === "ok") this.#taken.rest = true;
      if (outcome.kind === "refused") done = (await this.#isOver(outcome.code, refused)) ? "gone" : "refused";
      said =
        outcome.kind === "failed" ? outcome.reason : outcome.kind === "refused" ? outcome.code : outcome.kind;
    } catch (error) {
      said = describeError(error);
    }
    this.#host.told({ deed: method, by: "rest", said });
    return done;
  }

  /** Whether a refused command shows that the call is over; where it does not, the call's own status may. */
  async #isOver(by_rest: "404" | "410", by_relay: "404" | "410" | null): Promise<boolean> {
    const { relayManager } = this.#host;
    if (evidenceOfRefusal("rest", by_rest, this.#taken, relayManager.protocol) === "over") return true;
    if (by_relay && evidenceOfRefusal("relay", by_relay, this.#taken, relayManager.protocol) === "over")
      return true;
    return evidenceOfStatuses(await this.#statuses()) === "over";
  }

  async #statuses(): Promise<CallStatuses> {
    return await this.#host.relayManager.rest("question", REST_MS, (project, signal) =>
      callStatuses(project, this.#call_id, this.#segment_id, signal),
    );
  }

  #begin(method: Sounding["method"], media: readonly Medium[]): Sounding & { ended: Promise<End> } {
    const { promise, resolve } = Promise.withResolvers<End>();
    const ends =
      method === "calling.play" && media.every(({ type }) => type !== "audio")
        ? { ends_at: Date.now() + SLOWEST * lengthOf(media, 0) }
        : {};
    const sounding = { control_id: crypto.randomUUID(), method, ...ends };
    this.#sounding = { ...sounding, isHeard: false, end: resolve };
    this.#host.sounds(sounding);
    return { ...sounding, ended: promise };
  }

  /** The end of a sound, or of its call, where it is told of in spite of a gap in RELAY's events. */
  async #ended(): Promise<End> {
    const { promise, resolve } = Promise.withResolvers<End>();
    if (this.#isGone) resolve({ over: "ended" });
    else if (this.#sounding) this.#sounding.end = (end) => end.over !== "lost" && resolve(end);
    return await promise;
  }

  #over(): void {
    this.#sounding = null;
    this.#host.sounds(null);
  }
}

const late: End = { over: "late" };

function isSoundOver({ state }: { state: string }): boolean {
  return state === "finished" || state === "error";
}

function longestOf(media: readonly Medium[]): number {
  const length = lengthOf(media, HEARD_MS);
  return Math.min(HEARD_MS, length + Math.min(ADDED_MS, (SLOWEST - 1) * length + MARGIN_MS));
}

function longestKeying(digits: string): number {
  return [...digits].reduce(
    (ms, key) => ms + (key === "W" ? 1_000 : key === "w" ? 500 : KEY_MS),
    KEYED_LATE_MS,
  );
}

/** Another client of the context has the call: it is not ours to say a word on. */
export class Taken extends Error {
  override readonly name = "Taken";

  constructor() {
    super("another client took the call");
  }
}
