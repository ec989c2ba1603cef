export { allRows, dependsOnRules, served, type Served, type Specimen } from './coverage.js';
export { exceptionOf, idleExceptions } from './exceptions.js';
export { reportOf, type CoverageReport, type TableCoverage } from './report.js';
export { sample } from './sample.js';
export { countryOfTables, specimenOf } from './specimens.js';
export { typedValues, waysOf, type TypedValues } from './typed.js';
