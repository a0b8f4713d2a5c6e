export { type ProblemCode, problemCodes } from './codes.ts'
export { isProblem, Problem, type ProblemOptions, problemTypeBase, toProblemDocument } from './problem.ts'
