import { afterEach, expect, test, vi } from "vitest";
import { listRoom } from "../../functions/rest-conferences.ts";
import type { Project } from "../../functions/tenants/tenant.ts";

const project = {
  project_id: "p-1",
  token: "made-up-token",
  rest_url: "https://example.signalwire.com",
} as Project; // What REST needs of it.

interface Lists {
  /** The conferences of the project, by name: how many there are of each. */
  named: Record<string, number>;
  participants: number;
  /** Whatever is asked for, a page has no more. */
  page_size: number;
  /** Whether lists are limited to the name that is asked for. */
  filters: boolean;
}

/** SignalWire's REST API with such lists, and what it was asked. */
function serve({ named, participants, page_size, filters }: Lists): string[] {
  const asked: string[] = [];
  const all = Object.entries(named).flatMap(([friendly_name, count]) =>
    Array.from({ length: count }, (_, n) => ({ sid: `${friendly_name}-${n}`, friendly_name })),
  );
  vi.stubGlobal("fetch", async (input: RequestInfo | URL) => {
    const url = new URL(new Request(input).url);
    asked.push(url.pathname + url.search);
    const { pathname, searchParams } = url;
    const name = searchParams.get("FriendlyName");
    const isOfParticipants = pathname.endsWith("/Participants.json");
    const items = isOfParticipants
      ? Array.from({ length: participants }, (_, n) => ({
          call_sid: `${pathname}-${n}`,
          status: "in-progress",
        }))
      : all.filter(({ friendly_name }) => !filters || friendly_name === name);
    const size = Math.min(page_size, Number(searchParams.get("PageSize") ?? 50));
    const page = Number(searchParams.get("Page") ?? 0);
    searchParams.set("Page", String(page + 1));
    return Response.json({
      [isOfParticipants ? "participants" : "conferences"]: items.slice(page * size, (page + 1) * size),
      next_page_uri: (page + 1) * size < items.length ? url.pathname + url.search : null,
    });
  });
  return asked;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

const rooms = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`acme:room-${n}`, 1]));

test("a hundred rooms of 250 participants are listed in three requests each", async () => {
  const asked = serve({ named: rooms, participants: 250, page_size: 1_000, filters: true });
  for (const room of Object.keys(rooms)) {
    const { complete, conferences } = await listRoom(project, room, AbortSignal.timeout(5_000));
    expect([complete, conferences.map(({ call_ids }) => call_ids.size)]).toEqual([true, [250]]);
  }
  expect(asked).toHaveLength(300);
});

test("a room is listed in three requests though lists hold other names, too, and in no more than its own pages", async () => {
  const lists = { named: rooms, participants: 250, filters: false };
  const asked = serve({ ...lists, page_size: 1_000 });
  expect(await listRoom(project, "acme:room-7", AbortSignal.timeout(5_000))).toMatchObject({
    complete: true,
  });
  expect(asked).toHaveLength(3);
  const paged = serve({ ...lists, page_size: 50 });
  expect(await listRoom(project, "acme:room-7", AbortSignal.timeout(5_000))).toMatchObject({
    complete: true,
  });
  expect(paged).toHaveLength(2 * 2 + 5);
});

test("of a hundred conferences under one name, with pages as short as may be, few are asked for, and the list says that it lacks some", async () => {
  const asked = serve({ named: { "acme:board": 100 }, participants: 250, page_size: 50, filters: true });
  const listing = await listRoom(project, "acme:board", AbortSignal.timeout(5_000));
  expect(listing.complete).toBe(false);
  expect(asked.length).toBeLessThanOrEqual(2 * 2 + 10 * 5);
});
