import { type Answers, answers } from "./answers.ts";
import type { Endpoint } from "./endpoint.ts";
import { endpoints, type Operation } from "./endpoints.ts";

/** A path with what it answers. */
export interface TableEntry extends Endpoint {
  operation: Operation;
  answers: Answers;
}

/** The API, whole: what the OpenAPI document, the client and the tests are made from. */
export const apiTable: readonly TableEntry[] = (Object.keys(endpoints) as Operation[]) // The table has no other keys.
  .map((operation) => ({ operation, ...endpoints[operation], answers: answers[operation] }));
