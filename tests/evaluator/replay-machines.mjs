// Runs state machines on another interpreter, aws-local-stepfunctions, with recorded answers of their tasks.
// Reads [{"definition", "input", "execution", "answers": {state: [{"result"} | {"error", "cause"}]}}] from standard
// input; writes for each {"steps", "attempts", "waits", "delays", "end"}, as tests/machines/interpreters.py reads it.
// Nothing is waited for: timers go off at once, in order, and what they were set to is noted.
import { readFileSync } from 'node:fs'

const REAL = { setTimeout, clearTimeout }
const slept = []
globalThis.setTimeout = (call, ms) => {
  const timer = { ms, call: setImmediate(() => (slept.push(ms), call())) }
  return timer
}
globalThis.clearTimeout = (timer) => (timer?.call ? clearImmediate(timer.call) : REAL.clearTimeout(timer))
// So that a delay with jitter is as long as it can be.
Math.random = () => 1 - Number.EPSILON
// It drops every backslash from what an intrinsic function returns, so that a text of JSON is none any more.
const { replaceAll } = String.prototype
String.prototype.replaceAll = function (from, to) {
  return from === '\\' && to === '' ? String(this) : replaceAll.call(this, from, to)
}

const { StateMachine } = await import('aws-local-stepfunctions')

class Recorded extends Error {
  constructor({ error, cause }) {
    super(cause)
    this.name = error
  }
}

const INTRINSIC = /^States\./
const HIDDEN = ' evaluated'

// A Fail state takes paths alone here, no intrinsic functions: a Pass before it, not told of, evaluates them.
function withoutIntrinsicFails(definition) {
  const states = {}
  for (const [name, state] of Object.entries(definition.States)) {
    if (state.Type !== 'Fail' || !INTRINSIC.test(state.CausePath ?? '')) {
      states[name] = state
      continue
    }
    const { ErrorPath, CausePath, Error: error } = state
    const parameters = { 'cause.$': CausePath, ...(ErrorPath ? { 'error.$': ErrorPath } : { error }) }
    states[name] = { Type: 'Pass', Parameters: parameters, Next: name + HIDDEN }
    states[name + HIDDEN] = { Type: 'Fail', ErrorPath: '$.error', CausePath: '$.cause' }
  }
  return { ...definition, States: states }
}

function statesOf(definition) {
  return Object.entries(definition.States).flatMap(([name, state]) => [
    [name, state],
    ...(state.ItemProcessor ? statesOf(state.ItemProcessor) : []),
  ])
}

// What each state of the kind would have waited for is told by the timers that were set while it ran.
async function replay({ definition, input, execution, answers }) {
  const attempts = []
  const left = structuredClone(answers)
  const handlers = {}
  for (const [name, state] of statesOf(definition)) {
    if (state.Type !== 'Task') continue
    handlers[name] = (given) => {
      attempts.push({ state: name, given: structuredClone(given) })
      const answer = left[name]?.shift() ?? { error: 'NotRecorded', cause: `${name} was not called so often` }
      if ('error' in answer) throw new Recorded(answer)
      return structuredClone(answer.result)
    }
  }
  const machine = new StateMachine(withoutIntrinsicFails(definition), { validationOptions: { noValidate: true } })
  const context = { Execution: execution, State: { EnteredTime: '' } }
  const run = machine.run(input, { overrides: { taskResourceLocalHandlers: handlers }, context })
  const ended = run.result.then(
    (output) => ({ output }),
    ({ name, message, cause }) => ({ error: cause?.name ?? name, cause: cause?.message ?? message }),
  )
  const told = { steps: [], waits: [], delays: [] }
  for await (const event of run.eventLogs) note(event, told, definition)
  const unused = Object.entries(left).flatMap(([name, rest]) => (rest.length ? [name] : []))
  return { steps: told.steps, waits: told.waits, delays: told.delays, attempts, unused, end: await ended }
}

function note({ type, state, index = -1 }, told, definition) {
  const name = state?.name
  if (name === undefined || name.endsWith(HIDDEN)) return
  if (type === 'StateExited' && definition.States[name]?.Type === 'Fail') return
  if (type === 'StateEntered') told.steps.push({ item: index, state: name, input: state.input })
  if (type === 'StateExited') {
    const step = told.steps.findLast((one) => one.item === index && one.state === name)
    step.output = state.output
    if (state.type === 'Wait') told.waits.push((slept.shift() ?? 0) / 1000)
  }
  if (type === 'StateRetried') told.delays.push((slept.shift() ?? 0) / 1000)
}

const results = []
for (const asked of JSON.parse(readFileSync(0, 'utf8'))) {
  slept.length = 0
  results.push(await replay(asked))
}
process.stdout.write(JSON.stringify(results))
