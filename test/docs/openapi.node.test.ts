import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { apiTable } from "../../shared/api/table.ts";
import { file, openApiText } from "./openapi.ts";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, OperationObject>>;
}

interface OperationObject {
  operationId: string;
  "x-scope": string;
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: { "application/json": { schema: object } } };
  responses: Record<string, { $ref?: string; description?: string; content?: object }>;
}

const text = readFileSync(file, "utf8");
const document: Document = JSON.parse(text);

test("the OpenAPI document is what the table makes of it (npm run docs writes it anew)", () => {
  expect(text).toBe(openApiText());
});

test("the OpenAPI document has every operation once, with its scope, its parameters and its answers", () => {
  expect(document.openapi).toBe("3.1.0");
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  expect(told.map(({ operation }) => operation.operationId).sort()).toEqual(
    apiTable.map(({ operation }) => operation).sort(),
  );
  for (const { path, operation } of told) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const inPath = operation.parameters.filter((one) => one.in === "path");
    expect(inPath.map(({ name, required }) => [name, required])).toEqual(named.map((name) => [name, true]));
    expect(operation.parameters.filter((one) => one.in === "query" && one.required)).toEqual([]);
    const entry = apiTable.find((one) => one.operation === operation.operationId);
    expect(operation["x-scope"]).toBe(entry?.scope);
    expect(Object.keys(operation.responses)).toEqual(
      expect.arrayContaining(Object.keys(entry?.answers ?? {})),
    );
    for (const response of Object.values(operation.responses))
      expect(response.$ref ?? response.description).toBeTruthy();
  }
});

test("every reference in the OpenAPI document leads somewhere in it", () => {
  const references = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, to = ""]) => to);
  expect(references.length).toBeGreaterThan(10);
  for (const to of new Set(references)) {
    const found = to
      .split("/")
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
    expect(found, to).toBeTruthy();
  }
});
