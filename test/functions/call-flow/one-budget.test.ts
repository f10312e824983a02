import { expect, test } from "vitest";
import { askCall } from "../../../functions/call-flow/ask-call.ts";
import { withCallerNumber } from "../../../functions/call-flow/before-room.ts";
import type { CallContext } from "../../../functions/call-flow/call-context.ts";
import { uncounted } from "../../../functions/call-flow/next-step.ts";
import { prepareCall } from "../../../functions/call-flow/prepare-call.ts";
import type { SessionApi } from "../../../functions/session/contract/session-api.ts";
import type { Decision, Place, Question } from "../../../shared/rules/decision.ts";

const never = () => new Promise<never>(() => {});
/** A session that takes every question and answers none. */
const silent: Pick<SessionApi, "prepare"> = { prepare: never };

/** A webhook that may be answered for so long still. */
function contextFor(left_ms: number): CallContext {
  const visit = {
    session: silent,
    tenant: {
      tenant: "acme",
      record: { pin_limits: {} },
      project: { project_id: "p", session: {} },
      rules: { rejoins: true },
    },
    call: { via: "swml", call_id: "c", from: "+15550100001", to: "+15550100100" },
    authentic: true,
    ends_at: Date.now() + left_ms,
  };
  return visit as unknown as CallContext; // All of it that is looked at here.
}

test("what the session is asked on the way takes no more than what is left of the webhook's time", async () => {
  const announce: NonNullable<Place["announce"]> = [{ say: "You are number {number}." }, { say: "Hello." }];
  const decision: Decision = {
    action: "place",
    rule: "team",
    ruleset: "0".repeat(64),
    decided_at: 0,
    looked_at: [],
    rooms: ["team"],
    strategy: "first",
    role: "participant",
    join: {},
    announce,
  };
  const began = Date.now();
  const context = contextFor(450);
  const prepared = await prepareCall(context, decision, { entry: "", step: 0, answers: {} }, true);
  expect(Date.now() - began).toBeLessThan(400);
  expect(prepared).toEqual({ returning: null, number: null, recorded: false });
  expect(withCallerNumber(context, announce, prepared.number)).toEqual([{ say: "Hello." }]);
});

test("a call that has used up its transfers is not asked again and left without a document", async () => {
  const question: Question = {
    action: "ask",
    ask: [{ name: "pin", words: [{ say: "PIN?" }], min_digits: 4, max_digits: 4, secret: true, try: 9 }],
    rule: "bridge",
    ruleset: "0".repeat(64),
    decided_at: 0,
    looked_at: [],
  };
  expect(await askCall(contextFor(4_000), question, { entry: "", step: 28 })).toEqual({ does: "apologise" });
});

test("where the session is out of reach a coach is heard by nobody", () => {
  const coach = { role: "agent", if_absent: "listen", if_several: "oldest" } as const;
  expect(uncounted({ start_on_enter: false }, { coach })).toEqual({ start_on_enter: false, muted: true });
  expect(uncounted({ muted: false }, {})).toEqual({ muted: false });
});
