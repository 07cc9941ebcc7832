# The gateway in a container: `docker compose up`, or see docs/deployment.md.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The Node of the image runs it; the one for old machines is left out, and a compiler that only peers of others ask for.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node-linux-* node_modules/.bin/node node_modules/typescript node_modules/@typescript
COPY . .
RUN node tools/generate-nodes.ts

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production V2GATE_DATA=/data
COPY --from=build /app /app
RUN install -d -o node -m 0700 /data
USER node
VOLUME /data
EXPOSE 1880 9220 9221
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["node", "docker/health.mjs"]
ENTRYPOINT ["node", "docker/start.mjs"]
CMD ["gateway/start.mjs"]
