import { describe, expect, test } from "vitest";
import { Canaries } from "./canaries.ts";
import type { Input } from "./inputs.ts";
import { faultsOf, logFaults } from "./judge.ts";

const secrets = new Canaries();
const url = secrets.make("next", "alfa", "rules");
const bearer = secrets.make("bearer", "alfa", "calls");
const key = secrets.make("signing-key", null, "never");
const document = (text: string) =>
  JSON.stringify({ version: "1.0.0", sections: { main: [{ play: { url: `say:${text}` } }] } });

const swml: Input = {
  route: "POST /hooks/:tenant/swml",
  params: { tenant: "alfa" },
  path: "plain",
  query: [],
  headers: [],
  other: "bravo",
  signature: "right",
  token: "none",
  bearer: "none",
  body: { is: "none" },
  address: "192.0.2.1",
};

function judged(
  changes: Partial<Input>,
  status: number,
  body: string,
  authentic: boolean,
  headers = "",
): string[] {
  return faultsOf({ ...swml, ...changes }, { status, headers, body, ms: 1 }, authentic, secrets).map(
    ({ kind }) => kind,
  );
}

describe("an answer is a fault", () => {
  test.each([
    ["of the Worker's own making", {}, 500, "", true],
    ["that never came", {}, 0, "socket hang up", false],
    ["that serves whom it should refuse", {}, 200, document("hello"), false],
    ["that refuses whom it should serve", {}, 403, "", true],
    [
      "that takes a callback without its token",
      { route: "POST /hooks/:tenant/conference-status" },
      204,
      "",
      false,
    ],
    [
      "that shows an operator's paths to anybody",
      { route: "GET /api/tenants/:tenant/calls" },
      200,
      "{}",
      false,
    ],
  ] as const)("%s", (_, changes, status, body, authentic) => {
    expect(judged(changes, status, body, authentic)).toEqual([`status ${status}`]);
  });

  test("that shows a secret to another than its tenant's own call", () => {
    expect(judged({}, 403, key, false)).toEqual(["secret in an answer: signing-key"]);
    expect(judged({}, 403, "", false, `x-why\n${key}`)).toEqual(["secret in an answer: signing-key"]);
    expect(judged({}, 200, document(key), true)).toEqual(["secret in an answer: signing-key"]);
    expect(judged({ params: { tenant: "reporting" } }, 200, document(url), false)).toEqual([
      "secret in an answer: next",
    ]);
    expect(judged({ params: { tenant: "bravo" } }, 200, document(url), true)).toEqual([
      "secret in an answer: next",
    ]);
    expect(judged({}, 200, document(`${url} ${bearer}`), true)).toEqual([]);
  });

  test("that shows an operator what is masked", () => {
    const ruleset = { route: "GET /api/tenants/:tenant/ruleset" };
    expect(judged(ruleset, 200, url, true)).toEqual([]);
    expect(judged(ruleset, 200, bearer, true)).toEqual(["secret in an answer: bearer"]);
    expect(judged({ route: "GET /api/tenants/:tenant/calls" }, 200, url, true)).toEqual([
      "secret in an answer: next",
    ]);
  });

  test("that is no document, or holds what a caller wants run", () => {
    expect(judged({}, 200, "{}", true)).toEqual(["document"]);
    expect(judged({}, 200, document("%{attack()}"), true)).toEqual(["document"]);
    expect(
      judged({ route: "POST /hooks/:tenant/cxml" }, 200, "<Response><Say>hello</Response>", true),
    ).toEqual(["document"]);
    expect(
      judged({ route: "POST /hooks/:tenant/cxml" }, 200, "<Response><Say>hello</Say></Response>", true),
    ).toEqual([]);
  });
});

test("a tenant whose report_until runs serves anybody, and refuses them elsewhere", () => {
  expect(judged({ params: { tenant: "reporting" } }, 200, document("hello"), false)).toEqual([]);
  expect(
    judged(
      { params: { tenant: "reporting" }, route: "POST /hooks/:tenant/conference-status" },
      204,
      "",
      false,
    ),
  ).toEqual(["status 204"]);
});

test.each([
  [
    "a secret",
    JSON.stringify({ level: "info", event: "webhook.answered", why: key }),
    "secret in the log: signing-key",
  ],
  ["a fault of the Worker's", JSON.stringify({ level: "error", event: "webhook.broke" }), "webhook.broke"],
  ["what workerd says of itself", "*** uncaught exception", "workerd"],
])("a line of the log is a fault that holds %s", (_, line, kind) => {
  expect(logFaults(line, secrets).map((fault) => fault.kind)).toEqual([kind]);
  expect(logFaults(JSON.stringify({ level: "info", event: "webhook.answered" }), secrets)).toEqual([]);
});
