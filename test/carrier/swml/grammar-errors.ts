import type { z } from "zod";

/** Where a document breaks the grammar, and how. */
export interface GrammarError {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Zod's findings as one error a place: unknown keys each by their own path, unions by the branch that came nearest. */
export function grammarErrors(error: z.ZodError): GrammarError[] {
  return error.issues.flatMap((issue) => errorsOf(issue));
}

function errorsOf(issue: Issue): GrammarError[] {
  // JSON documents have no symbols for keys.
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
  }
  if (issue.code === "invalid_union") {
    const branch = nearest(issue.errors);
    return branch.flatMap(errorsOf).map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
  }
  return [{ path, message: issue.message }];
}

/** The branch whose first complaint lies deepest; of equals the first, which is the parameter's own type. */
function nearest(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const depth = (issues: readonly Issue[]) => Math.max(0, ...issues.map((issue) => issue.path.length));
  return branches.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best), branches[0] ?? []);
}
