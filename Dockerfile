# Belfry as a container: built with the toolchain that Cargo.toml asks for, run by a user who owns nothing but its state.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin belfry \
    && install -D --strip target/release/belfry /out/belfry

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 9095 --no-create-home --home-dir /var/lib/belfry --shell /usr/sbin/nologin belfry \
    && install -d -o belfry -g belfry -m 0750 /var/lib/belfry /etc/belfry
COPY --from=build /out/belfry /usr/local/bin/belfry
USER belfry
WORKDIR /var/lib/belfry
VOLUME /var/lib/belfry
EXPOSE 9095
ENTRYPOINT ["belfry"]
CMD ["serve", "--config", "/etc/belfry/belfry.yml"]
