// Validates state machine definitions: node lint-machines.mjs FILE.asl.yaml …
// Each ${Substitution} becomes an ARN, or a number where no ARN can stand.
import validator from 'asl-validator'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const NUMBERS = /(MaxConcurrency|Seconds|TimeoutSeconds|HeartbeatSeconds): *\$\{\w+\}/g
const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:placeholder'

let failed = false
for (const path of process.argv.slice(2)) {
  const text = readFileSync(path, 'utf8').replace(NUMBERS, '$1: 1').replace(/\$\{\w+\}/g, ARN)
  const { isValid, errors } = validator(parse(text))
  for (const error of errors) console.error(`${path}: ${error['Error code']} ${error.Message ?? JSON.stringify(error)}`)
  failed ||= !isValid
}
process.exit(failed ? 1 : 0)
