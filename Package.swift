// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
  // Every mutating system call passes a fault-injection hook, except in release builds.
  .define("STOWAGE_HOOKS", .when(configuration: .debug)),
]

func library(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = ["README.md"]) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

/// The drivers: each is a folder in `Sources`, and its name here (docs/writing-a-driver.md).
let drivers = ["StowageDriverOverlay", "StowageDriverVFS", "StowageDriverBtrfs"]

let package = Package(
  name: "stowage",
  products: [
    .library(name: "Stowage", targets: ["Stowage"]),
    .executable(name: "stowage", targets: ["stowage-cli"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-system", .upToNextMinor(from: "1.8.1"))
  ],
  targets: [
    // 0: values
    library("StowageModel", []),
    // 1: the kernel and the file system
    .target(name: "CStowageShims"),
    library("StowageSystem", ["StowageModel", "CStowageShims", system]),
    library("StowageFiles", ["StowageModel", "StowageSystem", system]),
    .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
    library("StowageDigest", ["StowageModel", "CCrypto"]),
    library("StowageImage", ["StowageModel", "StowageDigest"]),
    // 2: layer bytes, configuration
    .systemLibrary(name: "CIsal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CLzma", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(name: "CBz2", providers: [.apt(["libbz2-dev"])]),
    .systemLibrary(name: "CDeflate", providers: [.apt(["libdeflate-dev"])]),
    library(
      "StowageCompression", ["StowageModel", "StowageSystem", "CIsal", "CZstd", "CLzma", "CBz2", "CDeflate", system]),
    library(
      "StowageArchive", ["StowageModel", "StowageSystem", "StowageDigest", "StowageCompression", system]),
    library(
      "StowageDiff",
      [
        "StowageModel", "StowageSystem", "StowageFiles", "StowageDigest", "StowageCompression", "StowageArchive",
        system,
      ]),
    library(
      "StowageConfig",
      ["StowageModel", "StowageSystem", "StowageFiles", system]),
    library("StowageRegistry", ["StowageModel", "StowageConfig", "StowageImage"]),
    library("StowageRootless", ["StowageModel", "StowageSystem", "StowageConfig", system]),
    // 3: drivers
    library("StowageMounts", ["StowageModel", "StowageSystem", "StowageFiles", system]),
    library(
      "StowageDriverAPI", ["StowageModel", "StowageSystem", "StowageFiles", "StowageDiff", "StowageMounts", system]),
    // The drivers themselves: see `drivers`.
    library(
      "StowageDrivers",
      ["StowageDriverAPI", "StowageModel", "StowageFiles", "StowageSystem", system]
        + drivers.map { .byName(name: $0) }),
    // 4: the store
    library("StowageRecords", ["StowageModel", "StowageSystem", "StowageFiles", "StowageDigest", system]),
    library(
      "StowageStore",
      [
        "StowageModel", "StowageSystem", "StowageFiles", "StowageDigest", "StowageCompression", "StowageArchive",
        "StowageRecords", "StowageDiff", "StowageMounts", "StowageConfig", "StowageDriverAPI", "StowageImage", system,
      ]),
    library(
      "StowageOCI",
      [
        "StowageModel", "StowageImage", "StowageSystem", "StowageFiles", "StowageDigest", "StowageCompression",
        "StowageArchive", "StowageStore", system,
      ]),
    // 5: the umbrella and the command line
    library("StowageCommandLine", ["StowageModel"]),
    library(
      "Stowage",
      [
        "StowageModel", "StowageSystem", "StowageConfig", "StowageRootless", "StowageDriverAPI", "StowageDrivers",
        "StowageStore", "StowageOCI", "StowageRegistry",
      ]),
    .executableTarget(
      name: "stowage-cli",
      dependencies: [
        "Stowage", "StowageCommandLine", "StowageModel", "StowageImage", "StowageSystem", "StowageFiles",
        "StowageCompression", "StowageConfig", "StowageRootless", "StowageStore", "StowageOCI", "StowageRegistry",
        system,
      ],
      path: "Sources/stowage", exclude: ["README.md"], swiftSettings: strict),
    // The example of docs/writing-a-driver.md, for tests only.
    .target(
      name: "PlainDriver",
      dependencies: [
        "StowageModel", "StowageSystem", "StowageFiles", "StowageDiff", "StowageMounts", "StowageDriverAPI", system,
      ],
      path: "Examples/PlainDriver", swiftSettings: strict),
    // Examples: compiled as a user's code is, without our settings.
    .executableTarget(name: "store-tour", dependencies: ["Stowage"], path: "Examples/StoreTour"),
    .executableTarget(
      name: "automatic-namespace", dependencies: ["Stowage"], path: "Examples/AutomaticNamespace"),
    // Fuzz targets: a plain build only keeps them compiling, Fuzz/run.sh links them with libFuzzer.
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "StowageModel", "StowageSystem", "StowageFiles", "StowageDigest", "StowageImage", "StowageCompression",
        "StowageArchive", "StowageDiff", "StowageConfig", "StowageMounts", "StowageDriverAPI", "StowageDriverOverlay",
        "StowageCommandLine", "StowageOCI", system,
      ],
      path: "Fuzz", exclude: ["README.md", "run.sh", "seed.sh"], swiftSettings: strict),
    // Tests
    .target(
      name: "StowageTestSupport",
      dependencies: ["StowageModel", "StowageSystem", "StowageFiles", system],
      path: "Tests/Support", swiftSettings: strict),
    tests("StowageModelTests", ["StowageModel", "StowageTestSupport"]),
    tests("StowageSystemTests", ["StowageSystem", "StowageModel", "StowageTestSupport", system]),
    tests("StowageFilesTests", ["StowageFiles", "StowageSystem", "StowageModel", "StowageTestSupport", system]),
    tests("StowageRecordsTests", ["StowageRecords", "StowageModel", "StowageTestSupport", system]),
    tests(
      "StowageCompressionTests", ["StowageCompression", "StowageModel", "StowageSystem", "StowageTestSupport", system]),
    tests(
      "StowageArchiveTests",
      [
        "StowageArchive", "StowageCompression", "StowageDigest", "StowageSystem", "StowageModel", "StowageTestSupport",
      ]),
    tests(
      "StowageDiffTests",
      [
        "StowageDiff", "StowageArchive", "StowageCompression", "StowageDigest", "StowageFiles", "StowageSystem",
        "StowageModel", "StowageTestSupport", system,
      ]),
    tests("StowageCommandLineTests", ["StowageCommandLine", "StowageTestSupport"]),
    tests("StowageConfigTests", ["StowageConfig", "StowageModel", "StowageTestSupport"]),
    tests(
      "StowageRegistryTests",
      [
        "StowageRegistry", "StowageConfig", "StowageFiles", "StowageModel", "StowageSystem", "StowageTestSupport",
        system,
      ]),
    tests(
      "DriverTests",
      [
        "StowageDrivers", "StowageDriverAPI", "StowageDriverOverlay", "StowageDriverVFS", "PlainDriver",
        "StowageDiff", "StowageMounts", "StowageFiles", "StowageSystem", "StowageModel", "StowageTestSupport", system,
      ]),
    tests(
      "StowageStoreTests",
      [
        "Stowage", "StowageStore", "StowageDrivers", "StowageConfig", "StowageDriverAPI", "StowageDiff", "StowageFiles",
        "StowageSystem", "StowageModel", "StowageTestSupport", system,
      ]),
    tests(
      "StowageOCITests",
      [
        "Stowage", "StowageOCI", "StowageImage", "StowageStore", "StowageDrivers", "StowageConfig", "StowageDigest",
        "StowageSystem", "StowageModel", "StowageTestSupport", system,
      ]),
    // These drive the built executable, as a person or a script does.
    tests("IntegrationTests", ["stowage-cli", "StowageImage", "StowageModel", "StowageStore", "StowageTestSupport"]),
    .testTarget(
      name: "InteropTests",
      dependencies: [
        "stowage-cli", "automatic-namespace", "StowageModel", "StowageSystem", "StowageTestSupport", system,
      ],
      exclude: ["make-single-layer-image.py"], swiftSettings: strict),
    .testTarget(
      name: "CrashTests", dependencies: ["stowage-cli", "StowageSystem", "StowageTestSupport", system],
      exclude: ["inspect-store.py", "sharing-worker.sh"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)

package.targets += drivers.map { name in
  library(
    name,
    ["StowageModel", "StowageSystem", "StowageFiles", "StowageDiff", "StowageMounts", "StowageDriverAPI", system])
}
