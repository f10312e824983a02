import { afterEach, describe, expect, test, vi } from "vitest";
import { sidForCertain } from "../../functions/rest-recordings.ts";
import type { Project } from "../../functions/tenants/tenant.ts";

const STARTED = Date.parse("2026-11-28T10:00:00Z");
const project = {
  project_id: "p-1",
  token: "made-up-token",
  rest_url: "https://example.signalwire.com",
} as Project; // What REST needs of it.
const kept = { sid: null, conference_id: "conf-1", conference_sid: "CF1", started_at: STARTED };

interface Listed {
  sid: string;
  status: string;
  start_time: string;
}

/** REST lists these recordings, by conference; every other list is empty. */
function listing(byConference: Record<string, Listed[]>): void {
  vi.stubGlobal("fetch", async (input: RequestInfo | URL) => {
    const { pathname } = new URL(new Request(input).url);
    const sid = /\/Conferences\/([^/]+)\/Recordings\.json$/.exec(pathname)?.[1];
    if (sid !== undefined) return Response.json({ recordings: byConference[sid] ?? [] });
    if (pathname.endsWith("/Conferences.json")) {
      const conferences = Object.keys(byConference).map((one) => ({
        sid: one,
        friendly_name: "acme:board",
        date_created: "2026-11-28T10:00:00Z",
      }));
      return Response.json({ conferences });
    }
    return Response.json({ data: [] });
  });
}

afterEach(() => {
  vi.unstubAllGlobals();
});

const recording = (sid: string, more: Partial<Listed> = {}): Listed => ({
  sid,
  status: "completed",
  start_time: "2026-11-28T10:00:02Z",
  ...more,
});

async function chosen(of: Parameters<typeof sidForCertain>[1] = kept): Promise<string | null> {
  return await sidForCertain(project, of, AbortSignal.timeout(1_000));
}

describe("a recording whose sid nothing told is deleted at SignalWire", () => {
  test.each(["CF1", "conf-1"])(
    "where it is the only one that is listed under its conference's id %s",
    async (id) => {
      listing({ [id]: [recording("RE1")] });
      expect(await chosen()).toBe("RE1");
    },
  );

  test.each<[string, Record<string, Listed[]>]>([
    ["the list holds a recording of another conference of the same name alone", { CF2: [recording("RE2")] }],
    ["its conference has several", { CF1: [recording("RE1"), recording("RE2")] }],
    ["the one that is listed goes on", { CF1: [recording("RE1", { status: "in-progress" })] }],
    [
      "the one that is listed began at another time",
      { CF1: [recording("RE1", { start_time: "2026-11-28T11:00:00Z" })] },
    ],
    ["nothing is listed", {}],
  ])("and not where %s", async (_, byConference) => {
    listing(byConference);
    expect(await chosen()).toBeNull();
  });
});

test("a recording whose sid was told is deleted by it, whatever is listed", async () => {
  listing({ CF1: [recording("RE2")] });
  expect(await chosen({ ...kept, sid: "RE1" })).toBe("RE1");
});
