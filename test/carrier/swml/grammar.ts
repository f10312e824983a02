import { z } from "zod";
import { grammarErrors } from "./grammar-errors.ts";
import { type Step, stepList } from "./steps.ts";
import { strict } from "./values.ts";

export type Sections = Readonly<Record<string, readonly Step[]>>;

export type Validation =
  | { readonly ok: true; readonly sections: Sections }
  | { readonly ok: false; readonly errors: readonly { readonly path: string; readonly message: string }[] };

const section = stepList.refine((steps) => steps.length > 0, { error: "an empty section is an error" });

/** As SWML's published schema has it, `version` may be left out; if there, it is "1.0.0". */
const documentSchema = strict({
  version: z.literal("1.0.0").optional(),
  sections: z.object({ main: section }).catchall(section),
});

/**
 * Checks a document against SWML's grammar as strictly as SignalWire's schema does: an unknown step or key, at any
 * level, is an error. Only the steps that the carrier runs are known. Every error carries its path (`sections.main.0.play.url`).
 */
export function validateDocument(document: unknown): Validation {
  const parsed = documentSchema.safeParse(document);
  if (parsed.success) return { ok: true, sections: parsed.data.sections };
  const errors = grammarErrors(parsed.error).map(({ path, message }) => ({ path: path.join("."), message }));
  return { ok: false, errors };
}
