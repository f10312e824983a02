import { afterEach, expect, test, vi } from "vitest";
import { tellLeft } from "../../../functions/call-flow/ask-session.ts";
import type { SessionApi } from "../../../functions/session/contract/session-api.ts";

afterEach(() => void vi.restoreAllMocks());

const key = { call_id: "c-1", entry: "", step: 0, lives_on: true };

/** A session that does not take so many of the first tellings. */
function sessionLosing(lost: number): { session: SessionApi; taken: unknown[] } {
  const taken: unknown[] = [];
  let told = 0;
  const left = async (...said: unknown[]) => {
    told += 1;
    if (told <= lost) throw new Error("Network connection lost.");
    taken.push(said);
  };
  return { session: { left } as unknown as SessionApi, taken }; // All of it that is asked here.
}

test("the session is told that a call is out of its room until it takes it, and no more than a few times", async () => {
  vi.spyOn(scheduler, "wait").mockResolvedValue();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const brief = sessionLosing(2);
  await tellLeft(brief.session, { tenant: "acme" }, key);
  expect(brief.taken).toEqual([[{ call_id: "c-1", entry: "", step: 0 }, true]]);
  expect(warn).not.toHaveBeenCalled();
  const long = sessionLosing(3);
  await tellLeft(long.session, { tenant: "acme" }, key);
  expect(long.taken).toEqual([]);
  expect(warn.mock.calls.flat().join()).toContain("session.not_told");
});
