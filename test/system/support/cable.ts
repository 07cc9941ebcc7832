import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A cable between a program and a server on loopback, that a test can cut. */
export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(to: URL) {
    this.#server = createServer((near) => {
      if (this.#cut) {
        near.destroy();
        return;
      }
      const far = connect(Number(to.port), to.hostname);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          other.destroy();
          this.#sockets.delete(socket);
        });
      }
    });
  }

  /** Begins at a free port; answers the cable and the URL that leads through it. */
  static async to(url: string): Promise<{ readonly cable: Cable; readonly url: string }> {
    const target = new URL(url);
    const cable = new Cable(target);
    cable.#server.listen(0, '127.0.0.1');
    await once(cable.#server, 'listening');
    const address = cable.#server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return { cable, url: url.replace(target.host, `127.0.0.1:${port}`) };
  }

  /** Nothing passes, and who connects is thrown out. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
