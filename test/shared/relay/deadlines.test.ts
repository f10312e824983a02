import fc from "fast-check";
import { expect, it } from "vitest";
import { Deadlines } from "../../../shared/relay/deadlines.ts";

it("always has the earliest first, whatever is added and taken out in between", () => {
  const step = fc.record({ expires_at: fc.nat(50), removes: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const deadlines = new Deadlines<{ expires_at: number; slot: number }>();
      const model: { expires_at: number; slot: number }[] = [];
      for (const { expires_at, removes } of steps) {
        const item = { expires_at, slot: -1 };
        deadlines.add(item);
        model.push(item);
        if (removes % 2 === 0) {
          const [gone] = model.splice(removes % model.length, 1);
          if (gone !== undefined) {
            deadlines.remove(gone);
            deadlines.remove(gone);
          }
        }
        expect(deadlines.size).toBe(model.length);
        const earliest = model.length === 0 ? undefined : Math.min(...model.map((one) => one.expires_at));
        expect(deadlines.first?.expires_at).toBe(earliest);
      }
      const drained: number[] = [];
      for (let first = deadlines.first; first !== undefined; first = deadlines.first) {
        drained.push(first.expires_at);
        deadlines.remove(first);
      }
      expect(drained).toEqual(model.map((one) => one.expires_at).sort((a, b) => a - b));
    }),
  );
});
