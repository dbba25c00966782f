import streamlit as st

from seqdemo.charts.accuracy import accuracy_alt, accuracy_chart
from seqdemo.charts.training import training_alt, training_chart
from seqdemo.studies import results
from seqdemo.ui import resources
from seqdemo.ui.pages import PAGES, ways_in
from seqdemo.ui.results import typed_table
from seqdemo.ui.results.models_table import how_measured, models_table

models = resources.models()
accuracies = results.accuracies(models)
curves = results.training_curves(models)

st.title(results.accuracy_finding(accuracies), anchor=False)
st.markdown(
    "Five models, written from scratch and trained on English film reviews, answer side by side: four read word by "
    "word, the Transformer all words at once. Each of their verdicts and accuracies is what trained weights answer, "
    "on reviews that they did not learn from or on what you type."
)

st.page_link(PAGES[1].st_page(), label="**Type a review yourself**")

models_table()
st.caption(how_measured())

st.header("How often is each model right?", anchor=False)
if accuracies["test_accuracy"].notna().any():
    st.altair_chart(
        accuracy_chart(accuracies, baseline=results.BASELINE), width="stretch", alt=accuracy_alt(accuracies)
    )
    st.caption(
        "How to read this: a dot is the share of test reviews judged rightly, its bar the 95 % interval. "
        f"The dashed line is the bag of words: {results.BASELINE_SUMMARY[0].lower()}{results.BASELINE_SUMMARY[1:]}"
    )
    with st.expander("The data as a table"):
        st.dataframe(accuracies.drop(columns=["name", "summary"]), hide_index=True)
else:
    st.info("No accuracy was found beside the models.")

typed_table.render()

st.header(results.training_finding(curves), anchor=False)
if not curves.empty:
    st.altair_chart(training_chart(curves), width="stretch", alt=training_alt(curves))
    st.caption(
        "How to read this: one line a model, its accuracy on held-back reviews after each pass through the training "
        "reviews. The dot is its best epoch. In use are the weights of the best or the last epoch, or, for the "
        "Transformer, the mean of several short runs, of which the line is the first; the model cards say which."
    )
    with st.expander("The data as a table"):
        st.dataframe(curves.drop(columns=["name"]), hide_index=True)
else:
    st.info("No training history was found beside the models.")

st.header("See for yourself", anchor=False)
ways_in()
