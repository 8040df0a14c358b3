// Reads {"policies": [document …], "simulations": [simulation …]} from standard input, where a simulation names
// its policies by their place in the list; writes one result for each simulation, in order.
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { readFileSync } from 'node:fs'

const { policies, simulations } = JSON.parse(readFileSync(0, 'utf8'))
const named = (places) => places.map((place) => ({ name: String(place), policy: policies[place] }))

async function evaluate({ request, identity, boundary, resourcePolicy }) {
  const result = await runSimulation(
    {
      request,
      identityPolicies: named(identity),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(boundary === null ? {} : { permissionBoundaryPolicies: named([boundary]) }),
      ...(resourcePolicy === null ? {} : { resourcePolicy: policies[resourcePolicy] }),
    },
    { simulationMode: 'Strict' },
  )
  if (result.resultType === 'error') return { error: result.errors }
  const analysed = result.resultType === 'single' ? [result.result] : result.results
  return {
    decision: result.overallResult,
    ignored: [...new Set(analysed.flatMap((item) => item.ignoredContextKeys ?? []))],
    blockedBy: [...new Set(analysed.flatMap((item) => item.analysis.blockedBy ?? []))],
  }
}

const results = []
for (const simulation of simulations) results.push(await evaluate(simulation))
process.stdout.write(JSON.stringify(results))
