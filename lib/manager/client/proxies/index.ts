/** All proxies that are built in; importing them makes them known. */
import './containers.ts'
import './synchronizers.ts'
