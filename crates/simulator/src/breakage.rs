//! Breakages of the simulator, each one real thing, by name; none is there, unless it is asked for.

/// One thing that is wrong.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Breakage {
    /// Whoever is given one device is given every device of the same driver or plugin.
    AllDevicesToAnyClaim,
    /// Whoever is given a device is given the first one of the driver or plugin, so that two holders have the same.
    OneDeviceTwice,
    /// What was asked for is counted, and nothing is injected but the variable that says "simulated".
    NothingInjected,
    /// Another device than the allocated one is injected: the next of the driver or plugin. Every holder still has one
    /// of its own, so that only who compares with the allocation notices. Nothing is wrong where there is one device.
    ClaimIgnored,
    /// Preparing a claim never answers. Plugins are left alone: a kubelet that waits for one admits no other pod.
    NeverPrepares,
    /// The metrics tell of every device but the last whole one.
    OneSeriesTooFew,
    /// The metrics say the same utilisation of every device, whatever it does.
    ConstantUtilisation,
    /// The metrics keep naming the pod that they named last as holder of a device, after it is gone.
    StaleAttribution,
    /// Memory in bytes under a name in MiB, and utilisation as a ratio under a name in percent; the other way round in
    /// the names of OpenTelemetry.
    WrongUnit,
    /// An HTML page with status 200 where the metrics should be.
    HtmlInsteadOfMetrics,
    /// The advertised driver version is another than the one the device itself says.
    VersionLabelLies,
    /// The advertised runtime version is another than the one the device itself says.
    RuntimeVersionLies,
    /// No version is advertised: neither in the ResourceSlices nor on the Node.
    VersionNotAdvertised,
    /// Every sample stays what it was at first, with the time of then.
    StaleSamples,
    /// Samples are taken every 30 s, as many exporters do: nothing is wrong, and a test that is hasty finds it so.
    SamplesEveryHalfMinute,
    /// Plugins of shares, partitions and virtual devices offer none, whatever the Node's labels promise; partitions are
    /// missing from the ResourceSlices too.
    ShareNotOffered,
    /// Each share of a plugin, each partition and each virtual device is on a physical device of its own: nothing is shared.
    SharesOnDifferentDevices,
    /// Plugins give out twice as many shares, partitions and virtual devices as there are and as the Node's labels say.
    SharesWithoutEnd,
    /// Of those who share a physical device one can work at a time, and the others are refused.
    OneHolderAtATime,
    /// The metrics endpoint takes a request and never answers.
    MetricsHang,
    /// The metrics endpoint sends lines without an end.
    MetricsEndless,
    /// The metrics endpoint sends bytes that are no text.
    MetricsGarbage,
    /// The metrics are right, and said to be an image.
    MetricsWrongType,
}

impl Breakage {
    /// All of them.
    pub fn all() -> &'static [Breakage] {
        clap::ValueEnum::value_variants()
    }

    /// The name, as on the command line.
    pub fn name(self) -> String {
        use clap::ValueEnum;
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Sentence that says what is wrong.
    pub fn says(self) -> String {
        use clap::ValueEnum;
        let value = self.to_possible_value();
        // As a help it has no full stop.
        let help = value.and_then(|value| Some(value.get_help()?.to_string())).unwrap_or_default();
        format!("{}.", help.trim_end_matches('.'))
    }
}
