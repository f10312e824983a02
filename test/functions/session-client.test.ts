import { describe, expect, test, vi } from "vitest";
import type { PinQuestion } from "../../functions/session/contract/pins.ts";
import type { Returning, RoomRequest } from "../../functions/session/contract/placement.ts";
import { RpcSession } from "../../functions/session-client.ts";

/** A session of the version before: it has what it was asked by until now. */
function olderSession({ returns = null, allows = true }: { returns?: string | null; allows?: boolean }) {
  const lobby = {
    returning: vi.fn(async () => returns),
    callerNumber: vi.fn(async () => 3),
    isRecorded: vi.fn(async () => true),
  };
  const stub = {
    prepare: async () => {
      throw new TypeError('The RPC receiver does not implement the method "prepare".');
    },
    askPins: vi.fn(async () =>
      allows ? { v: 1, allowed: true } : { v: 1, allowed: false, closed: "caller" },
    ),
    usher: () => lobby,
  };
  const env = { RELAY_SESSION: { idFromName: (name: string) => name, get: () => stub } };
  const session = new RpcSession(env as unknown as Env, { project_id: "p", session: {} });
  return { session, asked: { ...lobby, askPins: stub.askPins } };
}

const request = {
  v: 1 as const,
  returning: {} as Returning,
  pins: {} as PinQuestion,
  seat: {} as RoomRequest,
};

describe("a session of the version before, which knows no prepare", () => {
  test("is asked one thing after the other", async () => {
    const { session } = olderSession({});
    expect(await session.prepare(request)).toEqual({
      v: 1,
      pins: { v: 1, allowed: true },
      number: 3,
      recorded: true,
    });
  });

  test("counts no PIN of a caller who has a seat held", async () => {
    const { session, asked } = olderSession({ returns: "{}" });
    expect(await session.prepare(request)).toEqual({ v: 1, returning: "{}" });
    expect(asked.askPins).not.toHaveBeenCalled();
  });

  test("is asked for no room where no PIN is taken", async () => {
    const { session, asked } = olderSession({ allows: false });
    const pins = { v: 1, allowed: false, closed: "caller" };
    expect(await session.prepare(request)).toEqual({ v: 1, pins });
    expect(asked.callerNumber).not.toHaveBeenCalled();
  });

  test("is not asked what nobody wants to know", async () => {
    const { session, asked } = olderSession({});
    expect(await session.prepare({ v: 1 })).toEqual({ v: 1 });
    for (const method of Object.values(asked)) expect(method).not.toHaveBeenCalled();
  });
});
