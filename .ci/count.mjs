import { existsSync, readFileSync } from 'node:fs'

// A step that failed outside the tests (linter, types) counts as one failure, so that the line never looks better than the run.
let passed = 0
let failed = 0
let skipped = 0
for (const file of ['.cache/test-results.json', '.cache/test-long-results.json']) {
  if (!existsSync(file)) {
    console.error(`${file} is missing: those tests did not run`)
    failed += 1
    continue
  }
  const report = JSON.parse(readFileSync(file, 'utf8'))
  passed += report.numPassedTests
  failed += report.numFailedTests
  skipped += report.numPendingTests + report.numTodoTests
  failed += report.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
  ).length
}
if (process.argv[2] === '1' && failed === 0) failed = 1
// The line that whoever runs this looks for.
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
