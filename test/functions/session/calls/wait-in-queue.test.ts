import { describe, expect, test, vi } from "vitest";
import { waitInQueue } from "../../../../functions/session/calls/wait-in-queue.ts";
import type { Step, Waiting } from "../../../../shared/documents/step.ts";
import type { PlacementState } from "../../../../shared/placement.ts";

const back = { dest: "", params: {}, sealed: "turn" };
const waiting: Waiting = {
  does: "wait",
  for: "seat",
  poll: back,
  turn: back,
  rounds: 5,
  round_s: 60,
  otherwise: { does: "reject" },
};
const stay: Step = { does: "return", value: "stay" };
const come: Step = { does: "return", value: "come" };

/** A call whose turn has come as far as it knows. Its music goes on until it is interrupted, or ends as it begins. */
function standing(
  music: "long" | "broken",
  answers: (called: () => void) => AsyncGenerator<Step>,
  state: PlacementState = "offered",
  terms = waiting,
) {
  let called = () => {};
  let interrupted = Promise.withResolvers<void>();
  const asked = answers(() => called());
  const seen = { pieces: 0, questions: 0 };
  const sounds: string[] = [];
  const then = waitInQueue(
    {
      control: {
        isGone: false,
        interrupt: () => interrupted.resolve(),
        play: async (media) => {
          seen.pieces += 1;
          sounds.push(...media.map(({ type }) => type));
          interrupted = Promise.withResolvers();
          if (music === "long") await interrupted.promise;
          return "done";
        },
      },
      queue: {
        attach: (_, to) => {
          called = to;
          return () => {};
        },
      },
      row: { call_id: "c", entry: "", step: 0, state },
      ask: async () => {
        seen.questions += 1;
        const { value } = await asked.next();
        return value as Step;
      },
    },
    terms,
  );
  return { seen, sounds, then };
}

describe("a call that is walked through its line", () => {
  test("comes at once when its turn comes while it asks", async () => {
    const { seen, then } = standing("long", async function* (called) {
      called();
      yield stay;
      yield come;
    });
    expect(await then).toBe("come");
    expect(seen).toEqual({ pieces: 0, questions: 2 });
  });

  test("goes on hearing music where nobody can say how it stands, for as long as it has its place", async () => {
    vi.useFakeTimers();
    try {
      const sorry: Step = { does: "apologise" };
      const unsure = standing(
        "broken",
        async function* () {
          yield sorry;
          yield come;
        },
        "waiting",
      );
      await vi.advanceTimersByTimeAsync(4_000);
      expect(await unsure.then).toBe("come");
      const over = standing("broken", async function* () {
        yield sorry;
      });
      expect(await over.then).toEqual(sorry);
    } finally {
      vi.useRealTimers();
    }
  });

  test("hears ringing where there is nothing to be heard of its music", async () => {
    vi.useFakeTimers();
    try {
      const { sounds, then } = standing(
        "broken",
        async function* () {
          yield stay;
          yield stay;
          yield come;
        },
        "waiting",
        { ...waiting, music: "https://example.com/gone.mp3" },
      );
      await vi.advanceTimersByTimeAsync(8_000);
      expect(await then).toBe("come");
      expect(sounds).toEqual(["audio", "ringtone", "ringtone"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("asks no oftener than every two seconds where its music ends as it begins, and comes at once when called", async () => {
    vi.useFakeTimers();
    try {
      const { seen, then } = standing("broken", async function* (called) {
        yield stay;
        yield stay;
        setTimeout(called, 500);
        yield stay;
        yield come;
      });
      await vi.advanceTimersByTimeAsync(1_900);
      expect(seen.questions).toBe(1);
      await vi.advanceTimersByTimeAsync(2_700);
      expect(await then).toBe("come");
      expect(seen.questions).toBe(4);
    } finally {
      vi.useRealTimers();
    }
  });
});
