import * as z from "zod";
// By name: the namespace as a value would bring every language that Zod speaks into the bundle.
import { $constructor } from "zod/v4/core";
import { unknownKeys } from "./zod-words.ts";

/** So many sets of keys are told apart in one schema; an object with yet another is read against every key there is. */
const SHAPES = 64;

/**
 * The same schema, but one that reads an object against the keys that it has and must have. Zod alone tries every optional
 * key of a schema on every object, absent or not, and builds for most of them an issue, only to drop it: for ten thousand
 * rules, each with a few of fifty keys, that takes longer than all the rest. What an object must be is still Zod's to say:
 * each set of keys that is met has an object schema of its own.
 */
export function sparse<Schema extends z.ZodObject>(schema: Schema): Schema {
  // What a schema is made of is all that its type tells.
  return new SparseObject(schema._zod.def) as Schema;
}

const SparseObject: z.core.$constructor<z.ZodObject> = $constructor("SparseObject", (inst, def) => {
  z.ZodObject.init(inst, def);
  const readAny = inst._zod.parse;
  const narrowed = new Map<number, z.ZodObject>();
  // A narrowed schema would name its own keys alone.
  const namesAll: z.core.$ZodErrorMap = ({ code }) =>
    code === "unrecognized_keys" ? unknownKeys(Object.keys(def.shape)) : undefined;
  let fields: { key: string; isOptional: boolean }[] | undefined;
  inst._zod.parse = (payload, context) => {
    const { value } = payload;
    if (typeof value !== "object" || value === null) return readAny(payload, context);
    // Not when it is made: the schema may name itself.
    fields ??= Object.entries(def.shape).map(([key, { _zod }]) => ({
      key,
      isOptional: _zod.optin === "optional" && _zod.optout === "optional",
    }));
    let present = 0;
    let bit = 1;
    for (const { key, isOptional } of fields) {
      if (!isOptional || key in value) present += bit;
      bit *= 2;
    }
    let schema = narrowed.get(present);
    if (schema === undefined) {
      if (narrowed.size >= SHAPES) return readAny(payload, context);
      const kept = fields.filter(({ key, isOptional }) => !isOptional || key in value);
      schema = new z.ZodObject({
        type: "object",
        shape: Object.fromEntries(kept.map(({ key }) => [key, def.shape[key]])),
        catchall: def.catchall,
        error: def.error ?? namesAll,
      });
      narrowed.set(present, schema);
    }
    return schema._zod.run(payload, context);
  };
});
