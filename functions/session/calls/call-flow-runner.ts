import type { Call } from "../../../shared/call.ts";
import { apology, mayBeRecorded, notTaken } from "../../../shared/documents/fixed-words.ts";
import { render } from "../../../shared/documents/render.ts";
import type { Heard, Join, Step, Waiting } from "../../../shared/documents/step.ts";
import { writeSwml } from "../../../shared/documents/write-swml.ts";
import { type Medium, mediumOf } from "../../../shared/media.ts";
import { isByDocument, type PlacementState } from "../../../shared/placement.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";
import { describeError, log } from "../../log.ts";
import { findInRooms } from "../../rest-conferences.ts";
import { timeoutOr } from "../../timeout.ts";
import type { Dispatcher } from "../commands/dispatcher.ts";
import { type CallDecider, type Keys, NotOurs, type OutboundCall } from "../contract/call-flow.ts";
import type { ParticipantChanges } from "../events/participant-changes.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import { wouldHaveSeen } from "../reconcile/absence.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { CallFlow, CallFlows } from "../store/call-flows.ts";
import type { CircuitBreaker } from "../store/circuit-breaker.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Counters } from "../store/counters.ts";
import type { History } from "../store/history.ts";
import type { Observations } from "../store/observations.ts";
import { type Placement, readTransitions } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import {
  asksUsOf,
  FETCHED_LATE_MS,
  FETCHED_MS,
  FETCHES,
  fetchedFrom,
  hasFetched,
  inlineJoinOf,
} from "../store/resume-url-of.ts";
import { CallControl, Taken } from "./call-control.ts";
import { waitInQueue } from "./wait-in-queue.ts";

/** An accepted join is seen within this, or REST is asked: the caller hears nothing meanwhile. */
const JOIN_SEEN_MS = 1_200;
/** RELAY is waited for so long where nobody else can do what is to be done. */
const RELAY_BACK_MS = 2_000;
const REST_MS = 2_000;
/** A new incarnation is about to connect: what another one was at waits so long for that. */
const CONNECTING_MS = 1_000;
/** A transfer that neither RELAY nor REST could make is tried so often, and with a pause of so long: the caller hears nothing. */
const TRANSFERS = 3;
const TRANSFER_AGAIN_MS = 1_000;
/** How often it is looked whether a call has fetched its document. */
const FETCH_LOOK_MS = 50;
/** A call that may be in its room by RELAY, and that neither side could move, is tried again after each of these. */
const MOVED_AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 8_000, 15_000, 30_000] as const;
/** Words that neither RELAY nor REST could play are tried again after each of these. */
const PLAYED_AGAIN_MS = [500, 1_000] as const;
/** A question whose answer was lost on the way is put again so often. */
const ASKED_AGAIN = 3;
/** What a caller hears who is held once more. */
const ring: Extract<Medium, { type: "ringtone" }> = { type: "ringtone", params: { name: "us", duration: 2 } };
/** No walk has so many steps: rules that go on asking are not our callers' trouble. */
const STEPS = 500;

/** What a step leads to: the next decision, made of what the call carries, what was keyed and what was not heard; or nothing more. */
type Continuation = { sealed?: string; keys?: Keys; untold?: Spoken } | "over";

/**
 * CallFlowRunner — leads a call on a RELAY context through what is decided on it, by commands where a webhook's call is answered with
 * documents. Each step is written down before it is taken, so that another object takes it again and goes on. Used by InboundCalls.
 */
export class CallFlowRunner {
  readonly control: CallControl;
  readonly #host: CallFlowRunnerHost;
  readonly #flow: CallFlow;
  readonly #call: Call;
  readonly #seen = Promise.withResolvers<void>();
  /** Whether another incarnation may have answered the call, and gone on. */
  readonly #hasBegun: boolean;
  #isLeft = false;

  constructor(host: CallFlowRunnerHost, flow: CallFlow, call: Call, isResumed: boolean) {
    this.#host = host;
    this.#flow = flow;
    this.#call = call;
    this.#hasBegun = isResumed && (flow.state.next !== null || this.#placement !== undefined);
    this.control = new CallControl(call, {
      relayManager: host.relayManager,
      told: (row) => this.#told(row),
      // At once: should we vanish before the answer to our command comes, the call is not answered a second time.
      answered: () => this.#keepAnswered(),
      sounds: (sounding) => host.callFlows.update(flow, { sounding }),
      commandEnded: (outcome) => host.counters.add(`command_${outcome.kind}`),
      answersLate: () => host.participants.mayBeTakenOut(call.call_id),
    });
  }

  /** There is nothing more to be done for the call: it has ended, or is another client's. */
  get isDoneWith(): boolean {
    return this.control.isGone || this.#isLeft;
  }

  /** A participant-join confirms one of the call's placements. What is still heard of its line is not for its room. */
  joined(): void {
    this.#seen.resolve();
    this.control.interrupt();
  }

  /** Never rejects, and leaves nobody in silence. */
  async run(): Promise<void> {
    const { callFlows } = this.#host;
    const { state, call_id } = this.#flow;
    try {
      const isThere = await this.#sendDigits();
      if (!isThere) this.#endLater();
      let step: Continuation = !isThere ? "over" : this.#hasBegun ? await this.#takeUp() : {};
      for (let steps = 0; step !== "over" && !this.control.isGone; steps += 1) {
        if (steps === STEPS) throw new Error(`more than ${STEPS} steps`);
        const next = await this.#decide(step);
        callFlows.update(this.#flow, { next });
        step = await this.#perform(next);
      }
    } catch (error) {
      const why = { call: call_id, error: describeError(error) };
      // A call that was answered is nobody else's any more, whatever has become of its context.
      const mayPass = error instanceof NotOurs && !state.answered;
      this.#isLeft = error instanceof Taken || (mayPass && (await this.control.pass()));
      if (this.#isLeft) log("info", "walk.left", why);
      else {
        log("error", "walk.broke", why);
        if (this.#placement?.state === "joined") return callFlows.close(call_id);
        await this.#perform({ does: "apologise" }).catch(() => this.#endLater());
      }
    }
    callFlows.close(call_id);
  }

  /** False if they could not be sent, or may not have been: the person they lead to is not on the line. */
  async #sendDigits(): Promise<boolean> {
    const { made } = this.#flow.state;
    const isSent = made === null || (await this.#keyed(made));
    if (!isSent) log("warn", "dial.digits_not_sent", { call: this.#flow.call_id });
    return isSent;
  }

  async #keyed({ send_digits, is_keying, ...made }: OutboundCall): Promise<boolean> {
    if (send_digits === undefined) return is_keying !== true;
    const { relayManager, callFlows } = this.#host;
    if (!relayManager.ready) await relayManager.settled(Date.now() + RELAY_BACK_MS);
    // First, so that another incarnation does not send them again: they would be heard in the room.
    callFlows.update(this.#flow, { made: { ...made, is_keying: true } });
    const done = await this.control.sendDigits(send_digits);
    if (done === "failed" || done === "unsure") return false;
    callFlows.update(this.#flow, { made });
    return true;
  }

  async #decide({ sealed, keys, untold }: Exclude<Continuation, "over">): Promise<Step> {
    const { decider } = this.#host;
    const { received_at, context, state } = this.#flow;
    const call = state.answered ? { ...this.#call, call_state: "answered" } : this.#call;
    const { made, tenant } = state;
    const decided = await decider.decide({ call, context, made, tenant, received_at, sealed, keys, untold });
    state.tenant = decided.tenant;
    return decided.next;
  }

  /** Goes on where another incarnation was. */
  async #takeUp(): Promise<Continuation> {
    const { sounding, next } = this.#flow.state;
    const { relayManager } = this.#host;
    if (this.#hasComeIn) return "over";
    if (!relayManager.ready) await relayManager.settled(Date.now() + CONNECTING_MS);
    if (sounding) await this.control.silence(sounding);
    return next ? await this.#resume(next) : {};
  }

  async #resume(was: Step): Promise<Continuation> {
    const row = this.#placement;
    const resumed = resumedStep(was, row, row !== undefined && this.#host.heldSeats.isPromised(row));
    return resumed !== "over" && "next" in resumed ? await this.#perform(resumed.next) : resumed;
  }

  async #perform(next: Step): Promise<Continuation> {
    switch (next.does) {
      case "announce":
        // What is not answered hears nothing: its own document answers it, and says the words.
        if (!(await this.#answer()) && (await this.#comesByWebhook())) return "over";
        return { sealed: next.back.sealed, ...(await this.#announce(next)) };
      case "ask":
        return await this.#ask(next);
      case "hold":
        if (next.ringing && !this.#isThrough) await this.control.play([ring]);
        return (await this.#isSeen()) ? "over" : { sealed: next.back.sealed };
      case "ring":
        return { sealed: next.back.sealed };
      case "stay":
      // Its document asks by itself.
      case "ask_again":
        return "over";
      case "join":
        return await this.#join(next);
      case "wait":
        return await this.#wait(next);
      case "return":
        throw new Error("only a poll is told to return");
      case "reject":
        if (next.say !== undefined) return await this.#sayAndEnd(next.say, next);
        // Who has left a room is seen to by whatever its rule says comes after.
        if (this.#placement?.state !== "left") await this.#end(next.reason ?? "hangup");
        return "over";
      case "hand_over":
        if (next.swml === undefined || !(await this.#transfer(next.swml))) {
          return await this.#perform({ does: "apologise" });
        }
        return "over";
      case "apologise":
        return await this.#sayAndEnd({ say: apology }, next);
      case "refuse":
        return await this.#sayAndEnd({ say: notTaken }, next);
      default:
        return next satisfies never;
    }
  }

  /** Returns a notice that the caller has not heard: a recorded caller must be told. */
  async #announce({ words, ends_with_notice }: Heard): Promise<{ untold?: Spoken }> {
    if ((await this.#say(words)) || !ends_with_notice) return {};
    // Its file may be missing; and these words are short and plain.
    const untold = { say: mayBeRecorded };
    if (this.#isThrough) return { untold };
    return (await this.control.play([mediumOf(untold)])) === "failed" ? { untold } : {};
  }

  /** False where nothing could play it. A call whose answer was taken may not be answered yet, and then takes no sound. */
  async #say(words: readonly Spoken[]): Promise<boolean> {
    const media = words.map(mediumOf);
    let done = await this.control.play(media);
    for (const wait of PLAYED_AGAIN_MS) {
      if (done !== "failed" || this.control.isGone || this.#isThrough) break;
      await scheduler.wait(wait);
      done = await this.control.play(media);
    }
    return done !== "failed";
  }

  get #placement(): Placement | undefined {
    return this.#host.placements.currentOf(this.#call.call_id)[0];
  }

  /**
   * False where it could not be answered; the call's document answers it then.
   * @throws {Taken}
   */
  async #answer(): Promise<boolean> {
    return this.#flow.state.answered || (await this.#answered(this.control.answer(this.#flow.received_at)));
  }

  async #answered(answering: ReturnType<CallControl["answer"]>): Promise<boolean> {
    const done = await answering;
    // Of a call that was walked before, it was us who answered.
    if (done === "taken" && !this.#hasBegun) throw new Taken();
    if (done !== "done" && done !== "taken") return false;
    this.#keepAnswered();
    return true;
  }

  #keepAnswered(): void {
    if (!this.#flow.state.answered) this.#host.callFlows.update(this.#flow, { answered: true });
  }

  async #ask(next: Extract<Step, { does: "ask" }>): Promise<Continuation> {
    const { relayManager } = this.#host;
    const { prompt, back } = next;
    if (await this.#answer()) {
      for (let asked = 0; asked < ASKED_AGAIN; asked += 1) {
        if (!relayManager.ready) await relayManager.settled(Date.now() + RELAY_BACK_MS);
        const keyed = await this.control.collect(prompt.words.map(mediumOf), prompt);
        if (typeof keyed === "object") {
          const { digits } = keyed;
          return {
            sealed: back.sealed,
            keys: { result: digits === "" ? "no_input" : "match_digits", digits },
          };
        }
        if (keyed === "gone") return "over";
        if (keyed === "failed") break;
      }
    }
    // Keys are heard by RELAY, or by a document of the call's own.
    return (await this.#comesByWebhook()) ? "over" : await this.#perform({ does: "apologise" });
  }

  /** Leads the call to a document of its own: it comes in again by that way, as if it were new. */
  async #comesByWebhook(): Promise<boolean> {
    const { tenant } = this.#flow.state;
    const url = tenant === null ? null : await this.#host.decider.webhookUrl(tenant);
    return url !== null && (await this.#transfer(url, async () => this.#hasComeIn));
  }

  /** Whether a document of the call's own has fetched our webhook: to fetch it once more would take the call out of where that led. */
  get #hasComeIn(): boolean {
    const { tenant } = this.#flow.state;
    if (tenant === null) return false;
    const newest = this.#host.history.newestOf({ tenant, call_id: this.#call.call_id });
    return newest.some(({ kind, data }) => kind === "webhook" && data["purpose"] === "fresh");
  }

  /** Whether the accepted join was seen, or the call has been in its room and left it. */
  async #isSeen(): Promise<boolean> {
    if (!this.#isThrough) await timeoutOr(JOIN_SEEN_MS, this.#seen.promise, undefined);
    const row = this.#placement;
    if (!row || !this.#isThrough) return false;
    this.#host.circuitBreaker.succeeded(Date.now(), row.tenant, this.#host.participants.isProved(row));
    return true;
  }

  get #isThrough(): boolean {
    const state = this.#placement?.state;
    return state === "joined" || state === "left";
  }

  /** The call joins by a document of its own. */
  async #join(next: Join): Promise<Continuation> {
    const row = this.#placement;
    const answer = row && readTransitions(row.trail).find(({ what }) => what === "calling.answer");
    if (answer?.why === "409" && !this.#hasBegun)
      await this.#answered(this.control.answerAgain(this.#flow.received_at));
    // Another incarnation, or what that left to be done, may have put it there.
    if (this.#hasBegun && (await this.#isIn(next.room))) return "over";
    // The document that is fetched would not say them.
    if (row && next.before === undefined && (await this.#joinByFetch(row, next))) return "over";
    if (row) this.#byDocument(row);
    const rendered = render(writeSwml(next));
    if (!rendered.ok)
      log("error", "document.refused", { call: this.#call.call_id, path: rendered.path, why: rendered.why });
    if (await this.#transfer(rendered.body, () => this.#isIn(next.room))) return "over";
    if (next.asks?.always !== true) return await this.#perform({ does: "apologise" });
    // RELAY's join may stand: an apology might be spoken into its room. Either side may be back in a moment, and meanwhile it rings.
    for (const wait of MOVED_AGAIN_MS) {
      const rung = this.control.play([{ ...ring, params: { ...ring.params, duration: wait / 1_000 } }]);
      await timeoutOr(wait, this.#seen.promise, undefined);
      this.control.interrupt();
      await rung;
      if (this.control.isGone) return "over";
      if (this.#placement?.state === "joined") {
        this.#joinedSomehow(this.#placement);
        return "over";
      }
      if (row && wouldHaveSeen(row, this.#host.relayManager, this.#host.observations, Date.now()))
        return await this.#perform({ does: "apologise" });
      if (await this.#transfer(rendered.body, () => this.#isIn(next.room))) return "over";
    }
    // Should it turn out to be in its room, no document ends it with its conference.
    if (row) this.#host.placements.update(row, { lives_on: 1 });
    log("error", "errand.given_up", { kind: "join", call: this.#call.call_id });
    return "over";
  }

  /** A call whose leave would end the conference joins by a document that it fetches from us; false for others, and where it does not. */
  async #joinByFetch(row: Placement, { staying: { max_duration_s } }: Join): Promise<boolean> {
    const dest = fetchedFrom(row);
    if (dest === null) return false;
    if (this.#hasBegun && hasFetched(row)) return true;
    const { placements, pendingCommands } = this.#host;
    this.#byDocument(row);
    // What it was answered before is no answer to this.
    placements.update(row, { asking_step: null, answer: null });
    // The document that is fetched does not say how long.
    if (max_duration_s !== undefined)
      pendingCommands.add("expire", row, row.node_id, row.created_at + max_duration_s * 1000);
    for (let tried = 0; tried < FETCHES; tried += 1) {
      const done = await this.control.command("calling.transfer", { dest });
      const isSure = done === "done" || done === "gone";
      if (await this.#fetchesWithin(row, isSure ? FETCHED_MS : FETCHED_LATE_MS, !isSure)) {
        if (row.state === "joined" && !hasFetched(row)) this.#joinedSomehow(row);
        return true;
      }
    }
    return false;
  }

  /** What has not been fetched yet may be in a moment: a command that nobody answered for may be carried out late. */
  async #fetchesWithin(row: Placement, ms: number, rings: boolean): Promise<boolean> {
    const hasCome = () => this.control.isGone || hasFetched(row) || row.state === "joined";
    const rung =
      rings && !hasCome()
        ? this.control.play([{ ...ring, params: { ...ring.params, duration: ms / 1_000 } }])
        : null;
    for (let waited = 0; waited < ms && !hasCome(); waited += FETCH_LOOK_MS)
      await scheduler.wait(FETCH_LOOK_MS);
    if (rung) this.control.interrupt();
    await rung;
    return hasCome();
  }

  /** The document joins from now on, whatever becomes of RELAY's join: the leave of that one is the document's doing. */
  #byDocument(row: Placement): void {
    const { placements } = this.#host;
    const changes = { joined_by: "document", stay_at: Date.now() } as const;
    const reason = "its document joins";
    // While it is in a conference, that document takes it out first.
    const to = row.conference_id === null ? "by_document" : "returning";
    if (!placements.move(row, to, { ...changes, reason })) placements.update(row, changes);
  }

  async #wait(next: Waiting): Promise<Continuation> {
    await this.#answer();
    const { queue } = this.#host;
    const row = this.#placement;
    const ask = async () => await this.#decide({ sealed: next.poll.sealed });
    const then = await waitInQueue({ control: this.control, queue, row, ask }, next);
    if (then === null) return "over";
    return then === "come" ? { sealed: next.turn.sealed } : await this.#perform(then);
  }

  /** Speaks by RELAY; where that can't, the call's own document speaks. Then the call ends. */
  async #sayAndEnd(say: Spoken, next: Step): Promise<Continuation> {
    const { relayManager } = this.#host;
    if (relayManager.ready && (await this.#answer())) {
      const done = await this.control.play([mediumOf(say)]);
      if (done !== "failed") {
        await this.#end("hangup");
        return "over";
      }
    }
    if (!(await this.#transfer(render(writeSwml(next)).body))) await this.#end("hangup");
    return "over";
  }

  /** @param isDone Says whether a transfer that nobody answered for was made. */
  async #transfer(dest: string, isDone: () => Promise<boolean> = async () => false): Promise<boolean> {
    for (let tried = 1; ; tried += 1) {
      const done = await this.control.command("calling.transfer", { dest });
      if (done === "unsure" && (await isDone())) return true;
      const made = done === "unsure" ? await this.control.commandByRest("calling.transfer", { dest }) : done;
      // REST may have done what it gave no answer to.
      if (made !== "failed" || (await isDone())) return true;
      if (tried === TRANSFERS) return false;
      // RELAY may be a moment from being back, and REST may have failed for that moment.
      await scheduler.wait(TRANSFER_AGAIN_MS);
    }
  }

  async #isIn(room: string): Promise<boolean> {
    const { dispatcher, relayManager } = this.#host;
    const { call_id } = this.#call;
    const row = this.#placement;
    const trail = row?.trail;
    if (row?.state === "joined") {
      this.#joinedSomehow(row);
      return true;
    }
    // The caller may hear nothing meanwhile: it goes before questions for which no caller waits, and its turn counts as waiting.
    const said = relayManager
      .rest("command", REST_MS, (project, signal) => findInRooms(project, [room], call_id, signal))
      .catch(() => null);
    // Where no answer says so it joins again, and is then in that room for sure.
    const sid = await timeoutOr(REST_MS, said, null);
    // An event may have been faster than REST.
    const isJoined = this.#placement?.state === "joined";
    if (!isJoined && sid === null) return false;
    if (row && !isJoined) {
      if (row.trail !== trail) return this.#isThrough;
      dispatcher.corrections.found(row, sid);
    }
    if (row) this.#joinedSomehow(row);
    return true;
  }

  /**
   * Where no document was sent, the join is RELAY's. Where one was, it may be either's: RELAY's may come yet and take the call out of the
   * document's, or there is no document that ends the call with its conference, and the session does.
   */
  #joinedSomehow(row: Placement): void {
    const wasSent = row.joined_by === "document";
    this.#host.placements.update(row, wasSent ? { lives_on: 1 } : { joined_by: "relay" });
  }

  async #end(reason: "hangup" | "busy" | "decline"): Promise<void> {
    const done = await this.control.command("calling.end", { reason });
    if (done === "failed" || done === "unsure") this.#endLater();
  }

  #endLater(): void {
    const { pendingCommands, dispatcher } = this.#host;
    const { call_id, node_id = null } = this.#call;
    pendingCommands.add("end", { call_id, entry: "", step: 0 }, node_id);
    dispatcher.start();
  }

  #told(row: Parameters<History["action"]>[1]): void {
    const { call_id, state } = this.#flow;
    if (state.tenant !== null) this.#host.history.action({ tenant: state.tenant, call_id }, row);
  }
}

const SENT: readonly PlacementState[] = ["sending", "unknown", "accepted", "joined"];

/** What a walk that another incarnation left goes on with: something to do, what the call carries on, or nothing. */
export type Resumed = { next: Step } | { sealed: string } | "over";

/**
 * Where the join went out before the object was lost the call may be in its room, though its flow was at what comes before: nothing is
 * said or asked there. The placement is settled instead, by the call's own document or by a look at the room.
 * @param keeps_seat Whether a seat is kept for the caller, should the call drop.
 */
export function resumedStep(next: Step, row: Placement | undefined, keeps_seat: boolean): Resumed {
  if (!row || !isUnderWay(row)) return { next };
  if (next.does !== "announce" && next.does !== "ask") return { next };
  if (row.state === "joined") return "over";
  if (next.does === "announce") return { sealed: next.back.sealed };
  const join = inlineJoinOf(row);
  const asks = asksUsOf(row, keeps_seat);
  return { next: { does: "join", room: row.room, join, staying: { params: {} }, ...(asks ? { asks } : {}) } };
}

/** A document that was to join it, when we vanished once more, may have been sent or not: RELAY's join may stand in either case. */
function isUnderWay({ state, may_stand }: Placement): boolean {
  return SENT.includes(state) || (isByDocument(state) && may_stand === 1);
}

/** What walking a call needs of the session. */
export interface CallFlowRunnerHost {
  callFlows: CallFlows;
  decider: CallDecider;
  placements: Placements;
  pendingCommands: PendingCommands;
  dispatcher: Dispatcher;
  circuitBreaker: CircuitBreaker;
  participants: Pick<ParticipantChanges, "isProved" | "mayBeTakenOut">;
  counters: Counters;
  history: History;
  observations: Observations;
  queue: WaitingQueue;
  heldSeats: Pick<HeldSeats, "isPromised">;
  relayManager: RelayManager;
}
