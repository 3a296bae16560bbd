declare module 'promises-aplus-tests' {
  /** Runs the suite in Mocha; calls `done` with null where everything holds. */
  export default function promisesAplusTests(adapter: object, mocha: object, done: (failures: unknown) => void): void;
}
