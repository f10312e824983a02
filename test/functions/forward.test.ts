import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { forward } from "../../functions/forward.ts";
import { describeError } from "../../functions/log.ts";
import type { ForwardTo } from "../../shared/callbacks.ts";
import type { RelayEvent } from "../../shared/relay/events.ts";

const event: RelayEvent = {
  kind: "conference",
  event_type: "calling.conference",
  timestamp: 1_700_000_000,
  params: { status: "participant-join", conference_id: "conf", name: "acme:team", call_id: "c-1" },
};

beforeEach(() => void vi.spyOn(scheduler, "wait").mockResolvedValue());
afterEach(() => void vi.restoreAllMocks());

/** What the log says of telling them, with a web that answers so. */
async function told(to: ForwardTo, answer: () => Response): Promise<{ requests: Request[]; log: string }> {
  const requests: Request[] = [];
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    requests.push(new Request(input, init));
    return answer();
  });
  await forward(to, event, "project", { tenant: "acme" });
  return { requests, log: warn.mock.calls.flat().join("\n") };
}

const ways: Pick<ForwardTo, "as" | "method">[] = [
  { as: "json", method: "POST" },
  { as: "form", method: "POST" },
  { as: "form", method: "GET" },
];

describe.each(ways)("a callback that is forwarded as $as by $method", (way) => {
  test("does not follow a redirect to another server", async () => {
    const { requests, log } = await told({ ...way, url: "https://hooks.example.com/told?token=SECRET" }, () =>
      Response.redirect("https://elsewhere.example.com/", 307),
    );
    expect(requests.map(({ redirect, url }) => [redirect, new URL(url).host])).toEqual(
      Array(3).fill(["manual", "hooks.example.com"]),
    );
    expect(log).toContain("answered 307");
    expect(log).not.toContain("SECRET");
  });

  test("with a URL that cannot be parsed leaves no part of it in the log", async () => {
    const { requests, log } = await told({ ...way, url: "https://user:SECRET@[::1/x" }, () => new Response());
    expect(requests).toEqual([]);
    expect(log).toContain("callback.not_forwarded");
    expect(log).not.toMatch(/SECRET|user:|::1/);
  });
});

test("an error is described without the URLs that its message quotes", () => {
  const quoted = new TypeError(`Fetch API cannot load: wss://user:SECRET@example.com/a?b"c. Try again.`);
  expect(describeError(quoted)).toBe("TypeError: Fetch API cannot load: (a URL) Try again.");
  expect(describeError("HTTPS://user:SECRET@[::1/x")).toBe("(a URL)");
});
