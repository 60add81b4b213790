/** msgpackr declares its main entry only. */
declare module 'msgpackr/index-no-eval' {
  export * from 'msgpackr'
}
