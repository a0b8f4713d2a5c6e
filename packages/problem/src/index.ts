export { type ProblemCode, problemCodes } from './codes.ts'
export { isFault, isProblem, Problem, type ProblemOptions, problemTypeBase, toProblemDocument } from './problem.ts'
