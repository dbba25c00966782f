import streamlit as st

from seqdemo.runs.limits import is_allowed
from seqdemo.ui.train import train, train_form, train_results

st.title("Train a model and watch it learn" if is_allowed() else "Watch models learn", anchor=False)
train_form.presets()
left, right = st.columns([3, 8], gap="medium")
with left:
    train_form.choose()
with right:
    train.watch()

st.header("The runs so far", anchor=False, divider="gray")
train_results.render()
