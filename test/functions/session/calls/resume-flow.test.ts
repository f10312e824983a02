import { describe, expect, test } from "vitest";
import { resumedStep } from "../../../../functions/session/calls/call-flow-runner.ts";
import type { Placement } from "../../../../functions/session/store/placement-row.ts";
import type { Step } from "../../../../shared/documents/step.ts";
import type { PlacementState } from "../../../../shared/placement.ts";

const back = { dest: "", params: {}, sealed: "place" };
const announce: Step = { does: "announce", words: [{ say: "Welcome." }], back };
const ask: Step = {
  does: "ask",
  prompt: {
    name: "pin",
    words: [{ say: "Your PIN?" }],
    min_digits: 4,
    max_digits: 4,
    secret: true,
    try: 1,
  },
  back,
};

/** As far as it is looked at. */
function row(state: PlacementState): Placement {
  return { state, room: "acme:team", join: { muted: true }, placing: {} } as Placement;
}

describe("a walk that another incarnation left before the room", () => {
  test.each<PlacementState>(["sending", "unknown", "accepted"])(
    "has its placement settled where the join went out (%s): nobody in a room is told or asked anything",
    (state) => {
      expect(resumedStep(announce, row(state), false)).toEqual({ sealed: "place" });
      expect(resumedStep(ask, row(state), false)).toEqual({
        next: { does: "join", room: "acme:team", join: { muted: true }, staying: { params: {} } },
      });
    },
  );

  test("is joined by a document that holds the room's limit, where seats are limited", () => {
    expect(
      resumedStep(ask, { ...row("unknown"), placing: { capacity: 5 } as Placement["placing"] }, false),
    ).toMatchObject({
      next: { does: "join", join: { max_participants: 5 } },
    });
  });

  test("has its placement settled where a document was about to join it, and RELAY's join may stand", () => {
    const twice = { ...row("by_document"), may_stand: 1 };
    expect(resumedStep(announce, twice, false)).toEqual({ sealed: "place" });
    expect(resumedStep(ask, twice, false)).toMatchObject({ next: { does: "join", room: "acme:team" } });
  });

  test("is over where the call is in its room", () => {
    expect([resumedStep(announce, row("joined"), false), resumedStep(ask, row("joined"), false)]).toEqual([
      "over",
      "over",
    ]);
  });

  test.each<PlacementState | null>([null, "planned", "waiting", "by_document", "left", "failed"])(
    "goes on with what it was at where no join is under way (%s)",
    (state) => {
      const found = state === null ? undefined : row(state);
      expect(resumedStep(announce, found, false)).toEqual({ next: announce });
      expect(resumedStep({ does: "stay" }, row("accepted"), false)).toEqual({ next: { does: "stay" } });
    },
  );
});
