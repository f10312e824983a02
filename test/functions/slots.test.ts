import { expect, test } from "vitest";
import { FairSlots, type SlotOptions, Slots, TooLate, type Urgency } from "../../functions/slots.ts";

/** Jobs that end when they are told to, and in what order they began. */
function jobsOn(slots: Slots) {
  const began: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const start = (name: string, urgency: Urgency, options?: SlotOptions) => {
    const job = async () => {
      began.push(name);
      const end = Promise.withResolvers<void>();
      ends.set(name, end);
      await end.promise;
      return name;
    };
    return slots.run(urgency, job, options);
  };
  const end = async (name: string) => {
    ends.get(name)?.resolve();
    await scheduler.wait(0);
  };
  return { began, ends, start, end };
}

test("no more jobs run at once than there are slots, and a command goes before questions and lists that wait longer", async () => {
  const { began, start, end } = jobsOn(new Slots(2));
  const all = [
    start("a", "list"),
    start("b", "list"),
    start("c", "list"),
    start("d", "question"),
    start("e", "command"),
    start("f", "command"),
  ];
  await scheduler.wait(0);
  expect(began).toEqual(["a", "b"]);
  await end("a");
  expect(began).toEqual(["a", "b", "e"]);
  await end("b");
  await end("e");
  expect(began).toEqual(["a", "b", "e", "f", "d"]);
  for (const name of ["f", "d", "c"]) await end(name);
  expect(await Promise.all(all)).toEqual(["a", "b", "c", "d", "e", "f"]);
});

test("a job that fails gives its slot to the next", async () => {
  const { began, ends, start, end } = jobsOn(new Slots(1));
  const failing = start("a", "command");
  const next = start("b", "command");
  await scheduler.wait(0);
  ends.get("a")?.reject(new Error("REST answered 500"));
  await expect(failing).rejects.toThrow("REST answered 500");
  await scheduler.wait(0);
  expect(began).toEqual(["a", "b"]);
  await end("b");
  expect(await next).toBe("b");
});

test("a job that is no longer needed when its turn comes is not started", async () => {
  const { began, start, end } = jobsOn(new Slots(1));
  let isOfUse = true;
  const first = start("a", "list");
  const late = start("b", "list", { isOfUse: () => isOfUse });
  const after = start("c", "list");
  const refused = expect(late).rejects.toThrow(TooLate);
  await scheduler.wait(0);
  isOfUse = false;
  await end("a");
  await refused;
  expect(began).toEqual(["a", "c"]);
  await end("c");
  expect(await Promise.all([first, after])).toEqual(["a", "c"]);
});

test("a job whose turn does not come in time is not started, and those behind it keep their turns", async () => {
  const { began, start, end } = jobsOn(new Slots(1));
  const first = start("a", "command");
  const late = start("b", "command", { wait_ms: 5 });
  const after = start("c", "command", { wait_ms: 60_000 });
  await expect(late).rejects.toThrow(TooLate);
  await end("a");
  expect(began).toEqual(["a", "c"]);
  await end("c");
  expect(await Promise.all([first, after])).toEqual(["a", "c"]);
});

test("tenants take turns at a slot, however many jobs one of them has, and a job that fails passes it on", async () => {
  const slots = new FairSlots(1);
  const began: string[] = [];
  const jobs = ["a1", "a2", "a3", "b1", "c1", "b2"].map((name) =>
    slots.run(name.charAt(0), async () => {
      began.push(name);
      await scheduler.wait(0);
      if (name === "a1") throw new Error("its server is down");
      return name;
    }),
  );
  expect((await Promise.allSettled(jobs)).map(({ status }) => status)).toEqual([
    "rejected",
    ...Array(5).fill("fulfilled"),
  ]);
  expect(began).toEqual(["a1", "a2", "b1", "c1", "a3", "b2"]);
});
