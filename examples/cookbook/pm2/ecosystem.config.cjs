module.exports = {
  apps: [
    {
      name: 'shop',
      script: './app.mjs',
      exec_mode: 'cluster',
      instances: 'max',
      wait_ready: true, // the next instance is replaced when this one has sent 'ready'
      kill_timeout: 10_000, // between SIGINT and SIGKILL
    },
  ],
}
