import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  evidenceOfList,
  evidenceOfMissing,
  evidenceOfRefusal,
  evidenceOfStatus,
  LIST_LAG_MS,
  LISTS_APART_MS,
  type Listable,
  SIZE_BELOW_MS,
  tooMany,
  verdicts,
} from "../../shared/evidence.ts";

const NOW = 1_800_000_000_000;

function participant(call_id: string, more: Partial<Listable> = {}): Listable {
  return {
    call_id,
    conference_id: "conf-1",
    ingress: "swml",
    joined_by: "relay",
    isConfirmed: true,
    since: NOW - 60_000,
    ...more,
  };
}

function listed(call_ids: string[], complete = true) {
  return { complete, conferences: [{ call_ids: new Set(call_ids) }] };
}

describe("the table of evidence", () => {
  test("ends a call only on a leave that somebody vouches for, and sends nothing to a call that is over", () => {
    const ending = Object.entries(verdicts).flatMap(([name, { call }]) => (call === "ended" ? [name] : []));
    expect(ending.sort()).toEqual(["confirmed_leave", "out"]);
    expect(verdicts.over.call).toBe("over");
  });

  test("takes no list, size or doubt for a reason to do anything to a call", () => {
    for (const name of ["missing", "size_below", "doubted_too_long", "nothing", "unsigned_leave"] as const)
      expect(verdicts[name].call).toBe("untouched");
  });
});

describe("a refused command", () => {
  const nobody = { relay: null, rest: false };

  test("with 410 shows that the call is over, whichever side says it", () => {
    expect(evidenceOfRefusal("relay", "410", nobody, "p1")).toBe("over");
    expect(evidenceOfRefusal("rest", "410", nobody, "p1")).toBe("over");
  });

  test("with 404 shows it only where that side took a command for this very call before", () => {
    expect(evidenceOfRefusal("rest", "404", nobody, "p1")).toBe("nothing");
    expect(evidenceOfRefusal("rest", "404", { relay: "p1", rest: false }, "p1")).toBe("nothing");
    expect(evidenceOfRefusal("rest", "404", { relay: null, rest: true }, "p1")).toBe("over");
    expect(evidenceOfRefusal("relay", "404", { relay: "p1", rest: true }, "p1")).toBe("over");
  });

  test("with 404 from RELAY shows nothing once the session goes by another protocol", () => {
    expect(evidenceOfRefusal("relay", "404", { relay: "p1", rest: true }, "p2")).toBe("nothing");
    expect(evidenceOfRefusal("relay", "404", nobody, null)).toBe("nothing");
  });

  test("with any other code, 429 and 422 among them, shows nothing", () => {
    for (const code of ["429", "422", "409", "500", "403", ""]) {
      expect(evidenceOfRefusal("rest", code, { relay: "p", rest: true }, "p")).toBe("nothing");
    }
  });
});

test("a call's status says that it is over or lives, in either API's words; a word that nobody published says nothing", () => {
  for (const status of ["completed", "ended", "busy", "failed", "no-answer", "canceled"])
    expect(evidenceOfStatus(status)).toBe("over");
  for (const status of ["queued", "ringing", "in-progress", "answered"])
    expect(evidenceOfStatus(status)).toBe("alive");
  expect(evidenceOfStatus("paused")).toBe("nothing");
  expect(evidenceOfStatus(null)).toBe("nothing");
});

describe("a REST list", () => {
  const a = participant("a");

  test("without a call means that it is missing only if it lists another confirmed call of its kind in its conference", () => {
    const b = participant("b");
    expect(evidenceOfList(listed(["b"]), a, [a, b], NOW)).toBe("missing");
    for (const other of [
      participant("b", { ingress: "relay" }),
      participant("b", { joined_by: "document" }),
      participant("b", { conference_id: "conf-2" }),
      participant("b", { isConfirmed: false }),
    ]) {
      expect(evidenceOfList(listed(["b"]), a, [a, other], NOW)).toBe("nothing");
    }
  });

  test("that is empty, incomplete or knows nobody means nothing, whoever was in the room", () => {
    const others = [a, participant("b")];
    expect(evidenceOfList(listed([]), a, others, NOW)).toBe("nothing");
    expect(evidenceOfList({ complete: true, conferences: [] }, a, others, NOW)).toBe("nothing");
    expect(evidenceOfList(listed(["b"], false), a, others, NOW)).toBe("nothing");
    expect(evidenceOfList(listed(["CA1", "CA2"]), a, others, NOW)).toBe("nothing");
  });

  test("may lag: of a call that joined in the last half minute it says nothing", () => {
    const young = participant("a", { since: NOW - LIST_LAG_MS + 1 });
    expect(evidenceOfList(listed(["b"]), young, [young, participant("b")], NOW)).toBe("nothing");
  });

  test("that has the call says so, however incomplete it is", () => {
    expect(evidenceOfList(listed(["a"], false), a, [], NOW)).toBe("present");
  });

  test("without a call never ends it by itself, however often it comes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000_000), { maxLength: 20 }), (times) => {
        let missed_at: number | null = null;
        for (const at of times.sort((x, y) => x - y)) {
          expect(evidenceOfMissing({ unsigned_leave_at: null, missed_at }, at)).toBe("missing");
          missed_at ??= at;
        }
      }),
    );
  });

  test("confirms an unsigned leave when two of them, half a minute apart and both after it, are without the call", () => {
    const left = { unsigned_leave_at: NOW, missed_at: NOW + 1_000 };
    expect(evidenceOfMissing(left, NOW + 1_000 + LISTS_APART_MS)).toBe("confirmed_leave");
    expect(evidenceOfMissing(left, NOW + LISTS_APART_MS)).toBe("missing");
    expect(evidenceOfMissing({ ...left, missed_at: null }, NOW + 90_000)).toBe("missing");
    expect(evidenceOfMissing({ ...left, missed_at: NOW - 1 }, NOW + 90_000)).toBe("missing");
  });
});

test("a size below our count releases as many as are too many, and no sooner than after half a minute", () => {
  expect(tooMany(5, 2, NOW - SIZE_BELOW_MS, NOW)).toBe(3);
  expect(tooMany(5, 2, NOW - SIZE_BELOW_MS + 1, NOW)).toBe(0);
  expect(tooMany(2, 5, NOW - SIZE_BELOW_MS, NOW)).toBe(0);
});
