import fc from "fast-check";
import { addresses, bodyFor, callId, ownCallId } from "./arbitrary-bodies.ts";
import { madeUp, name, seldom, word } from "./arbitrary-values.ts";
import { callIds, type Environment, tenantNames } from "./environment.ts";
import { familyOf, type Input, isAuthentic, type PathTrick, pathTricks } from "./inputs.ts";
import { bearerKinds, signatureKinds, tokenKinds } from "./proofs.ts";

const query = seldom<[string, string][], [string, string][]>(
  [],
  4,
  fc.array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom(
          "poll",
          "partyline",
          "token",
          "trace",
          "limit",
          "after",
          "state",
          "CallSid",
          "From",
          "To",
          "Digits",
          "DialCallStatus",
          "entry",
          "step",
        ),
        name,
      ),
      fc.oneof(word, fc.constantFrom("1", "full", "0", "201", ...addresses, ...callIds)),
    ),
    { maxLength: 4 },
  ),
);

const header = fc.constantFrom<[string, string][]>(
  ["host", "evil.example.com"],
  ["x-forwarded-host", "evil.example.com"],
  ["x-forwarded-proto", "https"],
  ["x-original-url", "/api/tenants/alfa/calls"],
  ["x-http-method-override", "DELETE"],
  ["content-type", "application/x-www-form-urlencoded; charset=utf-7"],
  ["content-encoding", "gzip"],
  ["expect", "x"],
  ["range", "bytes=0-"],
  ["origin", "null"],
  ["if-match", "*"],
  ["if-none-match", "*"],
  ["cookie", "a=<long 3000>"],
  ["x-long", "<long 8000>"],
  ["accept-encoding", "br;q=nan"],
  ["upgrade-insecure-requests", "\u00e9"],
  ["cf-connecting-ip", "not an address"],
  ["cf-worker", "evil.example.com"],
  ["__proto__", "x"],
  ["constructor", "x"],
);

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"];

/** IPv4 and IPv6, so many that hardly one of them comes to its limit. */
const address = fc.oneof(
  fc
    .integer({ min: 0, max: 0xffffff })
    .map((number) => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`),
  fc
    .integer({ min: 0, max: 0xffffff })
    .map((number) => `2001:db8:${(number >> 12).toString(16)}:${(number & 4095).toString(16)}::1`),
);

/** Another method than the route's. */
const otherMethod = seldom(null, 12, fc.constantFrom(...methods));

/** Those that the route's pattern has. */
function paramsOf(
  route: string,
  all: Record<string, fc.Arbitrary<string>>,
): fc.Arbitrary<Record<string, string>> {
  const own = Object.entries(all).filter(
    ([named]) => route.includes(`:${named}`) || (named === "rest" && route.endsWith("*")),
  );
  return fc.record(Object.fromEntries(own));
}

interface Drawing {
  /** Ids of the calls that webhooks tell of. */
  calls: fc.Arbitrary<string>;
  tenant: fc.Arbitrary<string>;
  path: fc.Arbitrary<PathTrick>;
  method: fc.Arbitrary<string | null>;
  signature: fc.Arbitrary<Input["signature"]>;
  token: fc.Arbitrary<Input["token"]>;
  bearer: fc.Arbitrary<Input["bearer"]>;
}

function inputFor(route: string, drawing: Drawing): fc.Arbitrary<Input> {
  const { calls, tenant, path, method, signature, token, bearer } = drawing;
  const family = familyOf(route);
  return fc
    .record({
      route: fc.constant(route),
      method,
      params: paramsOf(route, {
        tenant,
        call_id: fc.oneof(callId, madeUp),
        name: fc.oneof(fc.constantFrom("team", "lobby", "alfa:team", "bravo:team"), madeUp),
        id: fc.oneof(fc.constant("dial-1"), madeUp),
        from: fc.oneof(fc.constantFrom("+15550100001", "anonymous alfa-1"), madeUp),
        project: fc.oneof(fc.constantFrom("project-first", "project-second", "project-third"), madeUp),
        rest: madeUp,
      }),
      path,
      query,
      headers: seldom<[string, string][], [string, string][]>(
        [],
        5,
        fc.uniqueArray(header, { minLength: 1, maxLength: 3, selector: ([named]) => named }),
      ),
      other: fc.constantFrom(...tenantNames),
      signature: family === "api" || family === "open" ? fc.constant("none" as const) : signature,
      token: family === "callback" ? token : fc.constant("none" as const),
      bearer: family === "api" ? bearer : fc.constant("none" as const),
      body: bodyFor(route, calls),
      address,
    })
    .map(({ method: other, ...input }): Input => (other === null ? input : { ...input, method: other }));
}

// The record's own keys.
const trick = seldom<PathTrick, PathTrick>(
  "plain",
  5,
  fc.constantFrom(...(Object.keys(pathTricks) as PathTrick[])),
);

/** The hooks as often as all the other routes together, of which there are many. */
function someOf(routes: readonly string[]): fc.Arbitrary<string> {
  const isHook = (route: string) => route.includes(" /hooks/");
  return fc.oneof(
    fc.constantFrom(...routes.filter(isHook)),
    fc.constantFrom(...routes.filter((route) => !isHook(route))),
  );
}

/** Requests of which none shows that its sender may ask. */
export function unauthentic(routes: readonly string[], tenants: Environment["tenants"]): fc.Arbitrary<Input> {
  const drawing: Drawing = {
    calls: fc.oneof(callId, ownCallId),
    tenant: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...tenantNames) },
      { weight: 1, arbitrary: madeUp },
    ),
    path: trick,
    method: otherMethod,
    signature: fc.constantFrom(...signatureKinds),
    token: fc.constantFrom(...tokenKinds),
    bearer: fc.constantFrom(...bearerKinds),
  };
  return someOf(routes)
    .chain((route) => inputFor(route, drawing))
    .filter((input) => familyOf(input.route) === "open" || !isAuthentic(input, tenants));
}

/** Requests that their senders may make, with whatever can be in them; those of operators are about `spare`, or about nothing. */
export function authentic(routes: readonly string[]): fc.Arbitrary<Input> {
  const drawing = (tenant: Drawing["tenant"]): Drawing => ({
    calls: ownCallId,
    tenant,
    path: seldom<PathTrick, PathTrick>("plain", 13, trick),
    method: fc.constant(null),
    signature: fc.constant("right"),
    token: fc.constant("right"),
    bearer: fc.constant("right"),
  });
  const callers = drawing(fc.constantFrom("alfa", "spare"));
  const operators = drawing(fc.oneof(fc.constant("spare"), madeUp));
  const own = routes.filter((route) => !["open", "ticket", "feed"].includes(familyOf(route)));
  return someOf(own).chain((route) => {
    if (familyOf(route) === "api") return withoutProjects(inputFor(route, operators));
    const asked = inputFor(route, callers);
    // SignalWire may sign status callbacks, or not.
    return familyOf(route) === "callback"
      ? fc
          .tuple(asked, fc.boolean())
          .map(([input, signs]): Input => ({ ...input, signature: signs ? "right" : "none" }))
      : asked;
  });
}

/** About no project but the spare tenant's, and that one keeps its connection: others have calls there. */
function withoutProjects(inputs: fc.Arbitrary<Input>): fc.Arbitrary<Input> {
  return inputs.map((input): Input => {
    const { project, ...params } = input.params;
    if (!project?.startsWith("project-")) return input;
    const instead = input.route.endsWith("/reconnect") ? "made-up" : "project-second";
    return { ...input, params: { ...params, project: instead } };
  });
}
