import { expect, test } from "vitest";
import { rulesetJsonSchema } from "../../../../shared/rules/schema/json-schema.ts";

/** The paths of every property, at any depth, that has no description. */
function unexplained(schema: unknown, path = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    const here = key === "properties" || key === "anyOf" || key === "items" ? path : `${path}/${key}`;
    if (key !== "properties") return unexplained(value, here);
    return Object.entries(value as Record<string, object>).flatMap(([name, property]) => {
      const missing = "description" in property ? [] : [`${here}/${name}`];
      return [...missing, ...unexplained(property, `${here}/${name}`)];
    });
  });
}

/** The object's parts, through references, lists, alternatives and records: what an editor offers at a path. */
function offered(path: readonly string[]): string[] {
  const root = rulesetJsonSchema();
  let nodes: unknown[] = [root];
  for (const step of [...path, null]) {
    nodes = nodes.flatMap((node) => objectsOf(node, root));
    if (step === null) break;
    nodes = nodes.flatMap((node) => child(node, step));
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(part(node, "properties") ?? {})))];
}

function objectsOf(node: unknown, root: unknown): unknown[] {
  const ref = part(node, "$ref");
  if (typeof ref === "string") {
    const target = ref
      .slice(2)
      .split("/")
      .filter((step) => step !== "")
      .reduce<unknown>((at, step) => part(at, step), root);
    return objectsOf(target, root);
  }
  const among = part(node, "anyOf");
  if (Array.isArray(among)) return among.flatMap((one) => objectsOf(one, root));
  const items = part(node, "items");
  return items === undefined ? [node] : objectsOf(items, root);
}

/** A property by name, by the pattern of its name, or as any. */
function child(node: unknown, step: string): unknown[] {
  const named = part(part(node, "properties"), step);
  if (named !== undefined) return [named];
  const patterns = part(node, "patternProperties");
  if (typeof patterns === "object" && patterns !== null) {
    const fitting = Object.entries(patterns).filter(([pattern]) => new RegExp(pattern).test(step));
    if (fitting.length > 0) return fitting.map(([, schema]) => schema);
  }
  const any = part(node, "additionalProperties");
  return typeof any === "object" ? [any] : [];
}

function part(node: unknown, key: string): unknown {
  if (typeof node !== "object" || node === null) return undefined;
  return Object.entries(node).find(([name]) => name === key)?.[1];
}

test("every key that a ruleset can have explains itself in the JSON Schema", () => {
  const schema = rulesetJsonSchema();
  expect(JSON.stringify(schema)).toContain("max_participants");
  expect(unexplained(schema)).toEqual([]);
});

test("an editor is offered the keys of every place, groups within groups included", () => {
  const rule = ["id", "match", "place", "reject", "hand_over", "ask", "rules"];
  expect(offered(["rules"])).toEqual(rule);
  expect(offered(["rules", "rules", "rules"])).toEqual(rule);
  const match = [
    "to",
    "from",
    "direction",
    "type",
    "headers",
    "params",
    "vars",
    "during",
    "outside",
    "when",
    "not",
  ];
  expect(offered(["rules", "match"])).toEqual(match);
  expect(offered(["rules", "rules", "match", "not", "not"])).toEqual(match);
  expect(offered(["rules", "match", "answer.pin"])).toEqual(["hmac", "list", "pins", "none"]);
  expect(offered(["rules", "match", "headers", "x-any"])).toEqual(["list", "present"]);
  expect(offered(["rules", "place", "overflow"])).toContain("rooms");
  expect(offered(["rules", "ask", "pin"])).toContain("digits");
  expect(offered(["schedules", "office"])).toEqual(["timezone", "open", "closed", "on"]);
  expect(offered(["fallback", "place", "join", "stream"])).toContain("codec");
});

test("an answer is the one key of a match that is told by a pattern, and every other is refused", () => {
  const root = rulesetJsonSchema();
  const rules = child(root, "rules").flatMap((node) => objectsOf(node, root));
  const matches = rules.flatMap((node) => child(node, "match")).flatMap((node) => objectsOf(node, root));
  expect(matches).toHaveLength(1);
  expect(part(matches[0], "additionalProperties")).toBe(false);
  expect(Object.keys(part(matches[0], "patternProperties") ?? {})).toEqual([
    "^answer\\.[a-z][a-z0-9_]{0,31}$",
  ]);
});
