# The hub in a container: any role of it, as any user, on a read-only root. `npm run image` builds this and tries it out.
#
#   docker build -t hubbub .
#   docker run --rm -p 4000:4000 --read-only --cap-drop=all -e REDIS_URL=... -e HUBBUB_JWT_SECRET=... hubbub
#
# BASE is any image with Node 20.19 or later, npm, a shell and glibc; what is shipped is only taken from it.
ARG BASE=docker.io/library/node:20-bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
# Manifests first: the layer of dependencies lasts until one of them changes.
COPY package.json package-lock.json tsconfig.json tsconfig.base.json ./
COPY shared/package.json shared/
COPY client-sdk/typescript/package.json client-sdk/typescript/
COPY client-sdk/react/package.json client-sdk/react/
COPY dashboard/package.json dashboard/
COPY server/package.json server/
# A registry of your own: --secret id=npmrc,src=$HOME/.npmrc; a secret stays in no layer.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/copy-lua.mjs scripts/step.mjs scripts/node.mjs scripts/
COPY shared shared
COPY client-sdk/typescript client-sdk/typescript
COPY client-sdk/react client-sdk/react
COPY dashboard dashboard
COPY server server
RUN npx tsc -b --force server client-sdk/react dashboard && node scripts/copy-lua.mjs && npx vite build --logLevel warn dashboard
# What runs, apart from what builds: the dependencies of the server alone, and of what was built neither types nor maps.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace=server \
 && find . -name '*.d.ts' -delete -o -name '*.map' -delete -o -name '*.tsbuildinfo' -delete -o -name '*.md' -not -iname 'licen*' -delete \
 && rm -rf shared/src client-sdk/*/src client-sdk/react dashboard/src dashboard/public server/src scripts tsconfig*.json node_modules/.cache node_modules/.package-lock.json
# Node itself and the libraries that it loads, at their own paths: no shell, no package manager, nothing else to patch. Only several workers in one
# container (`up --workers 4`) write something, a socket: they need a --tmpfs /tmp on a read-only root, which takes its mode from here.
COPY LICENSE ./
RUN mkdir -p /rootfs/etc /rootfs/app && mkdir -m 1777 /rootfs/tmp \
 && node="$(command -v node)" \
 && install -D "$node" /rootfs/usr/bin/node \
 && for lib in $(ldd "$node" | grep -o '/[^ ]*'); do install -D "$lib" "/rootfs$lib"; done \
 && echo 'hubbub:x:10001:10001:hubbub:/app:/nonexistent' > /rootfs/etc/passwd \
 && echo 'hubbub:x:10001:' > /rootfs/etc/group \
 && cp -a LICENSE package.json node_modules shared client-sdk dashboard server /rootfs/app/

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="hubbub" \
      org.opencontainers.image.description="Real-time hub for fleets of AI agents and their pipelines" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /rootfs/ /
WORKDIR /app
ENV NODE_ENV=production HUBBUB_HOST=0.0.0.0 HUBBUB_PORT=4000
USER 10001:10001
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/usr/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.HUBBUB_PORT}/health/live`).then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/node", "/app/server/bin/hubbub.mjs"]
CMD ["up"]
